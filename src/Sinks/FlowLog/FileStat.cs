using System.Runtime.InteropServices;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>struct statx (linux/stat.h): the same on every architecture, unlike struct stat.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileStat
{
    [FieldOffset(16)]
    public uint Links; // stx_nlink

    [FieldOffset(20)]
    public uint UserId; // stx_uid

    [FieldOffset(28)]
    public ushort Mode; // stx_mode

    [FieldOffset(32)]
    public ulong Inode; // stx_ino

    [FieldOffset(40)]
    public ulong Size; // stx_size

    [FieldOffset(112)]
    public long ModifiedSeconds; // stx_mtime.tv_sec

    [FieldOffset(120)]
    public uint ModifiedNanoseconds; // stx_mtime.tv_nsec

    [FieldOffset(136)]
    public uint DeviceMajor; // stx_dev_major

    [FieldOffset(140)]
    public uint DeviceMinor; // stx_dev_minor

    public readonly FileType Type => (FileType)(Mode >> 12);

    /// <summary>ns since the Unix epoch.</summary>
    public readonly long Modified => (ModifiedSeconds * 1_000_000_000) + ModifiedNanoseconds;

    public readonly bool IsSameFile(in FileStat other) =>
        Inode == other.Inode && DeviceMajor == other.DeviceMajor && DeviceMinor == other.DeviceMinor;
}

/// <summary>S_IFMT bits of a mode, shifted down.</summary>
internal enum FileType : byte
{
    Fifo = 1, // S_IFIFO
    CharacterDevice = 2, // S_IFCHR
    Directory = 4, // S_IFDIR
    BlockDevice = 6, // S_IFBLK
    Regular = 8, // S_IFREG
    SymbolicLink = 10, // S_IFLNK
    Socket = 12, // S_IFSOCK
}
