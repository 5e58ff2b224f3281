/// The version of this package, and so of all its programs.
public enum Version {
    /// By Semantic Versioning. This is the only place where it stands: a release changes it here, and its text in CHANGELOG.md.
    public static let current = "0.1.0"
}
