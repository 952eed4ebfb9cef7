namespace ConntrackStream.Pipeline.Files;

/// <summary>The modes of all files that the service makes, less what the umask takes.</summary>
public static class FileModes
{
    /// <summary>State:Directory: flow ids and original sysctl values are the service's alone.</summary>
    public const UnixFileMode StateDirectory = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Every file in State:Directory: records, flow ids, locks, the marker.</summary>
    public const UnixFileMode State = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The flow log and its rotated files, compressed or not: a shipper reads them by its group.</summary>
    public const UnixFileMode Log = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <summary>Metrics as a file: node_exporter runs as another user.</summary>
    public const UnixFileMode Metrics = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
}
