import ArgumentParser

/// `pspctl app …`
struct AppCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app", abstract: "The projects that may push.",
        subcommands: [AppAdd.self, ShowCommand<AppResource>.self, ListCommand<AppResource>.self, RemoveCommand<AppResource>.self])
}

/// `pspctl org …`
struct OrganisationCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "The tree of organisations.",
        subcommands: [
            OrganisationAdd.self, ShowCommand<OrganisationResource>.self, ListCommand<OrganisationResource>.self,
            RemoveCommand<OrganisationResource>.self,
        ])
}

/// `pspctl device …`
struct DeviceCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "The devices that receive.",
        subcommands: [
            DeviceAdd.self, ShowCommand<DeviceResource>.self, DeviceList.self, DeviceDisconnect.self,
            RemoveCommand<DeviceResource>.self,
        ])
}

/// `pspctl push …`
struct PushCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Push as an app: to a device, a user, an organisation; or a configuration.",
        subcommands: [PushUnicast.self, PushUser.self, PushOrganisation.self, PushConfiguration.self])
}
