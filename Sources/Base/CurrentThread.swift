internal import CSystem

/// What the system is told about the calling thread.
public enum CurrentThread {
    /// Gives the thread a name that `top -H` and a debugger show; the system keeps its first 15 bytes.
    public static func setName(_ name: String) { psp_name_thread(name) }

    /// Asks for the shortest time slices (Linux 6.12 and later; older kernels have one length for all). The thread gets the same
    /// share of the processor as before, but when it wakes it does not wait until another thread's slice ends.
    public static func preferShortSlices() { psp_prefer_short_slices() }

    /// Other threads go first on the processor.
    public static func yieldProcessor() { psp_yield_processor() }

    /// Other threads' writes go first on the disk.
    public static func yieldDisk() { psp_yield_disk() }
}
