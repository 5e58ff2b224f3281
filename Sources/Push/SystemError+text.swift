public import Base
internal import Glibc

extension SystemError {
    /// What the system says, in both languages. The system itself speaks English unless somebody has installed more.
    public var text: BilingualText {
        switch code {
        case ENOENT: BilingualText("文件或目录不存在", description)
        case EACCES, EPERM: BilingualText("权限不足", description)
        case EEXIST: BilingualText("已存在", description)
        case EISDIR: BilingualText("是一个目录", description)
        case ENOTDIR: BilingualText("路径中有不是目录的部分", description)
        case ENOSPC, EDQUOT: BilingualText("磁盘已满", description)
        case EROFS: BilingualText("文件系统是只读的", description)
        case EIO: BilingualText("读写错误", description)
        case EMFILE, ENFILE: BilingualText("打开的文件过多", description)
        default: BilingualText(description, description)
        }
    }
}
