import ArgumentParser

/// `pspctl app …`
struct AppCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "app", abstract: say("The projects that may push.", "可以推送的应用。"),
            discussion: HelpText.examples("pspctl app add demo --name Demo --interface msg", "pspctl app list"),
            subcommands: [
                AppAdd.self, AppRotate.self, ShowCommand<AppResource>.self, ListCommand<AppResource>.self,
                RemoveCommand<AppResource>.self,
            ])
    }
}

/// `pspctl org …`
struct OrganisationCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "org", abstract: say("The tree of organisations.", "组织机构树。"),
            discussion: HelpText.examples("pspctl org add police --name Police", "pspctl org list"),
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
            discussion: HelpText.examples(
                "pspctl device add phone-1 --platform android --org police", "pspctl device show phone-1"),
            subcommands: [
                DeviceAdd.self, ShowCommand<DeviceResource>.self, DeviceList.self, DeviceDisconnect.self,
                RemoveCommand<DeviceResource>.self,
            ])
    }
}

/// `pspctl operator …`
struct OperatorCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "operator", abstract: say("The persons who operate the server.", "运维账号。"),
            discussion: HelpText.examples(
                "pspctl operator put ann --display-name Ann --role administrator --ask-password", "pspctl operator list"),
            subcommands: [
                OperatorPut.self, ShowCommand<OperatorResource>.self, ListCommand<OperatorResource>.self,
                OperatorSessions.self, OperatorWithdraw.self, RemoveCommand<OperatorResource>.self,
            ])
    }
}

/// `pspctl push …`
struct PushCommands: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "push",
            abstract: say(
                "Push as an app: to a device, a user, an organisation; or a configuration.", "以应用的身份推送：给设备、使用人、组织机构，或推送配置。"),
            discussion: HelpText.examples(
                "pspctl push unicast phone-1 --app demo --secret SECRET --title Hello",
                "pspctl push config 'cache=2&submit=10' --org police --app demo --secret SECRET"),
            subcommands: [PushUnicast.self, PushUser.self, PushOrganisation.self, PushConfiguration.self])
    }
}
