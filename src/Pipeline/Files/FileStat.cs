using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Pipeline.Files;

/// <summary>What a file is: struct statx (linux/stat.h), the same on every architecture, unlike struct stat.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
public struct FileStat
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

    /// <summary>What the path names, without following a symbolic link at its end.</summary>
    /// <returns>False on failure, with errno.</returns>
    public static bool TryRead(string path, out FileStat stat) => Libc.TryStat(path, out stat);

    /// <summary>An open file.</summary>
    /// <returns>False on failure, with errno.</returns>
    public static bool TryRead(SafeFileHandle file, out FileStat stat) => Libc.TryStat(file, out stat);

    public readonly FileType Type => (FileType)(Mode >> 12);

    /// <summary>ns since the Unix epoch.</summary>
    public readonly long Modified => (ModifiedSeconds * 1_000_000_000) + ModifiedNanoseconds;

    public readonly bool IsSameFile(in FileStat other) =>
        Inode == other.Inode && DeviceMajor == other.DeviceMajor && DeviceMinor == other.DeviceMinor;
}

/// <summary>S_IFMT bits of a mode, shifted down.</summary>
public enum FileType : byte
{
    Fifo = 1, // S_IFIFO
    CharacterDevice = 2, // S_IFCHR
    Directory = 4, // S_IFDIR
    BlockDevice = 6, // S_IFBLK
    Regular = 8, // S_IFREG
    SymbolicLink = 10, // S_IFLNK
    Socket = 12, // S_IFSOCK
}
