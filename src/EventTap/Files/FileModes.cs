namespace ConntrackStream.EventTap.Files;

/// <summary>The modes of all files that the service makes, less what the umask takes.</summary>
internal static class FileModes
{
    /// <summary>State:Directory: flow ids and original sysctl values are the service's alone.</summary>
    internal const UnixFileMode StateDirectory = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Every file in State:Directory: records, flow ids, locks, the marker.</summary>
    internal const UnixFileMode State = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The flow log and its rotated files, compressed or not: a shipper reads them by its group.</summary>
    internal const UnixFileMode Log = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <summary>The API's socket: its group may connect.</summary>
    internal const UnixFileMode Socket = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
}
