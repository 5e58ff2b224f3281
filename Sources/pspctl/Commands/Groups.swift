import ArgumentParser

/// `pspctl app …`
struct AppCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "app", abstract: say("The projects that may push.", "可以推送的应用。"),
            subcommands: [
                AppAdd.self, ShowCommand<AppResource>.self, ListCommand<AppResource>.self, RemoveCommand<AppResource>.self,
            ])
    }
}

/// `pspctl org …`
struct OrganisationCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "org", abstract: say("The tree of organisations.", "组织机构树。"),
            subcommands: [
                OrganisationAdd.self, ShowCommand<OrganisationResource>.self, ListCommand<OrganisationResource>.self,
                RemoveCommand<OrganisationResource>.self,
            ])
    }
}

/// `pspctl device …`
struct DeviceCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "device", abstract: say("The devices that receive.", "接收推送的设备。"),
            subcommands: [
                DeviceAdd.self, ShowCommand<DeviceResource>.self, DeviceList.self, DeviceDisconnect.self,
                RemoveCommand<DeviceResource>.self,
            ])
    }
}

/// `pspctl push …`
struct PushCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "push",
            abstract: say(
                "Push as an app: to a device, a user, an organisation; or a configuration.", "以应用的身份推送：给设备、用户、组织机构，或推送配置。"),
            subcommands: [PushUnicast.self, PushUser.self, PushOrganisation.self, PushConfiguration.self])
    }
}
