import Base
import Glibc

extension SystemError {
    /// What the system says, in the language of the program. The system itself speaks English unless somebody has installed more.
    var words: String {
        switch code {
        case ENOENT: say("\(self)", "文件或目录不存在")
        case EACCES, EPERM: say("\(self)", "权限不足")
        case EISDIR: say("\(self)", "是一个目录")
        case ENOTDIR: say("\(self)", "路径中有不是目录的部分")
        case ENOSPC, EDQUOT: say("\(self)", "磁盘已满")
        case EROFS: say("\(self)", "文件系统是只读的")
        default: "\(self)"
        }
    }
}
