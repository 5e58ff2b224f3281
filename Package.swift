// swift-tools-version: 6.2
import PackageDescription

// The modules, from the ground up. A module imports only modules below it; an import that is not drawn here fails the build
// (`--explicit-target-dependency-import-check error`).

/// Swift 6 mode everywhere. An async function stays on its caller's executor, so that an `await` on the store does not leave the
/// loop. `STRICT=1` (what `make` sets) makes warnings errors; a newer compiler's new warnings must not break a user's build.
let swift: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
    ] + (Context.environment["STRICT"] == "1" ? [.treatAllWarnings(as: .error)] : [])

let package = Package(
    name: "psp",
    products: [
        .executable(name: "pspd", targets: ["pspd"]),
        .executable(name: "pspctl", targets: ["pspctl"]),
        .executable(name: "pspbench", targets: ["pspbench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // C: system libraries, and what Swift cannot call by itself.
        .systemLibrary(name: "CLibevent", pkgConfig: "libevent", providers: [.apt(["libevent-dev", "libssl-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CRoaring", providers: [.apt(["libroaring-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "CSystem"),
        .target(name: "COpenAPI"),
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),

        // The ground: what every module may need and none should write again.
        .target(name: "Base", dependencies: ["CSystem"], swiftSettings: swift),

        // Thin, safe Swift over the libraries. None of these knows of pushing.
        .target(name: "Libevent", dependencies: ["Base", "CLibevent"], swiftSettings: swift),
        .target(name: "Postgres", dependencies: ["Base", "Libevent", "CLibpq"], swiftSettings: swift),
        .target(name: "JSON", dependencies: ["Base", "CSimdjson"], swiftSettings: swift),
        .target(name: "Crypto", dependencies: ["Base", "CCrypto"], swiftSettings: swift),
        .target(name: "MQTT", swiftSettings: swift),
        .target(name: "YAML", dependencies: ["CYAML"], swiftSettings: swift),

        // What every HTTP listener does, whoever it serves.
        .target(
            name: "Web", dependencies: ["Base", "Libevent", .product(name: "Logging", package: "swift-log")],
            swiftSettings: swift),

        // The domain and the store's protocols; then what implements and what uses them.
        .target(name: "Push", dependencies: ["Base", "JSON", "Crypto"], swiftSettings: swift),
        .target(name: "StoreCore", dependencies: ["Base", "JSON", "Push", "CRoaring"], swiftSettings: swift),
        .target(name: "SQLiteStore", dependencies: ["Base", "Push", "StoreCore", "Crypto", "CSQLite"], swiftSettings: swift),
        .target(name: "CPostgresSchema", exclude: ["sql"]),
        .target(
            name: "PostgresStore",
            dependencies: ["Base", "Push", "StoreCore", "Crypto", "Libevent", "Postgres", "CPostgresSchema"],
            swiftSettings: swift),
        .target(
            name: "StoreCopying",
            dependencies: ["Base", "Push", "StoreCore", "SQLiteStore", "Postgres", "PostgresStore"],
            swiftSettings: swift),
        .target(
            name: "Gateway",
            dependencies: ["Base", "Push", "MQTT", "Libevent", "JSON", .product(name: "Logging", package: "swift-log")],
            swiftSettings: swift),
        .target(
            name: "PushAPI",
            dependencies: [
                "Base", "Web", "Push", "Libevent", "JSON", "Crypto", "COpenAPI", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .target(
            name: "PushServer",
            dependencies: [
                "PushAPI", "Gateway", "SQLiteStore", "Postgres", "PostgresStore", "Push", "Web", "Libevent", "Crypto", "JSON",
                "YAML", "Base",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: swift),

        // The programs.
        .executableTarget(name: "pspd", dependencies: ["Base", "PushServer"], swiftSettings: swift),
        .executableTarget(
            name: "pspctl",
            dependencies: [
                "Base", "Push", "Libevent", "SQLiteStore", "Postgres", "PostgresStore", "StoreCopying", "JSON", "Crypto",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: swift),

        .executableTarget(
            name: "pspbench",
            dependencies: [
                "Base", "Libevent", "MQTT", "Crypto", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ], swiftSettings: swift),

        // Tests mirror the modules.
        .target(
            name: "TestKit", dependencies: ["Base", "Push", "MQTT", "Libevent"], path: "Tests/TestKit", swiftSettings: swift),
        .testTarget(name: "BaseTests", dependencies: ["Base"], swiftSettings: swift),
        .testTarget(name: "LibeventTests", dependencies: ["Base", "CLibevent", "Libevent"], swiftSettings: swift),
        .testTarget(
            name: "WebTests",
            dependencies: ["Base", "Web", "Libevent", "TestKit", .product(name: "Logging", package: "swift-log")],
            swiftSettings: swift),
        .target(
            name: "PostgresCluster", dependencies: ["Base", "Libevent", "Postgres"], path: "Tests/PostgresCluster",
            swiftSettings: swift),
        .testTarget(
            name: "PostgresTests", dependencies: ["Base", "Postgres", "PostgresCluster", "Libevent"], swiftSettings: swift),
        .testTarget(
            name: "PostgresStoreTests",
            dependencies: [
                "Base", "Libevent", "Postgres", "PostgresStore", "PostgresCluster", "Push", "StoreContract", "StoreCore",
            ],
            swiftSettings: swift),
        .testTarget(name: "MQTTTests", dependencies: ["Base", "MQTT"], swiftSettings: swift),
        .testTarget(name: "JSONTests", dependencies: ["Base", "JSON"], swiftSettings: swift),
        .testTarget(name: "CryptoTests", dependencies: ["Base", "Crypto"], swiftSettings: swift),
        .testTarget(name: "PushTests", dependencies: ["Base", "Push", "JSON", "Crypto"], swiftSettings: swift),
        .testTarget(name: "StoreCoreTests", dependencies: ["StoreCore", "Push"], swiftSettings: swift),
        .target(name: "CFaultVFS", path: "Tests/StoreFaults/CFaultVFS", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "FaultVFS", dependencies: ["CFaultVFS"], path: "Tests/StoreFaults/FaultVFS", swiftSettings: swift),
        .target(
            name: "StoreContract", dependencies: ["Base", "Push", "Crypto"], path: "Tests/StoreContract", swiftSettings: swift),
        .testTarget(
            name: "StoreContractTests",
            dependencies: [
                "StoreContract", "Base", "Push", "Crypto", "SQLiteStore", "FaultVFS", "TestKit", "PostgresStore", "Postgres",
                "PostgresCluster", "Libevent", "StoreCopying",
            ],
            swiftSettings: swift),
        .testTarget(
            name: "SQLiteStoreTests",
            dependencies: ["Base", "SQLiteStore", "StoreCore", "Push", "Crypto", "CSQLite", "FaultVFS", "StoreContract"],
            exclude: ["Data"], swiftSettings: swift),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Base", "Gateway", "Push", "MQTT", "Libevent", "TestKit", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(
            name: "PushAPITests",
            dependencies: [
                "Base", "PushAPI", "Web", "Push", "Libevent", "JSON", "Crypto", "TestKit",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(
            name: "PushServerTests",
            dependencies: [
                "Base", "PushServer", "pspd", "Push", "MQTT", "Libevent", "JSON", "TestKit",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: swift),
        .testTarget(name: "YAMLTests", dependencies: ["YAML"], swiftSettings: swift),
        .testTarget(name: "PspctlTests", dependencies: ["pspctl", "PostgresStore", "Push", "JSON"], swiftSettings: swift),
        .testTarget(name: "PspbenchTests", dependencies: ["pspbench", "MQTT"], swiftSettings: swift),
    ],
    cxxLanguageStandard: .cxx17
)

// What `make fuzz` runs needs libFuzzer, which the ordinary build does not link.
if Context.environment["FUZZ"] == "1" {
    package.targets += [
        .target(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
        .executableTarget(
            name: "fuzz", dependencies: ["CFuzzer", "MQTT", "Libevent", "JSON", "Push", "PushServer"], path: "Tests/Fuzz/Fuzz",
            swiftSettings: swift),
    ]
}
