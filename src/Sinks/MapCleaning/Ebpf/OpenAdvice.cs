using System.Globalization;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>What to do when a map cannot be opened.</summary>
internal static class OpenAdvice
{
    private const long BPF_FS_MAGIC = 0xcafe4a11; // linux/magic.h

    internal static string? ForPin(string path, Errno errno) => errno switch
    {
        // The kernel gives EACCES, as for a wrong mode, when the file is none of a bpf file system.
        Errno.EACCES when IsOnBpffs(path) == false =>
            "it is not a file of a bpf file system; is the right path given, and in a container, "
            + "is the host's /sys/fs/bpf mounted there (hostPath)?",
        Errno.EACCES => "its mode, or that of a directory above it, does not allow this; run as its owner or with CAP_DAC_OVERRIDE",
        Errno.ENOENT => $"{WhatIsMissing(path)}{Candidates()}",
        Errno.EPERM =>
            "bpf(2) is not allowed; this needs CAP_BPF (CAP_SYS_ADMIN before Linux 5.8), "
            + "and in a container a seccomp profile that lets it pass",
        _ => ForAny(errno),
    };

    internal static string? ForId(Errno errno) => errno switch
    {
        Errno.ENOENT => $"no such map is loaded{Candidates()}",
        Errno.EPERM => "opening maps by id needs CAP_SYS_ADMIN; a pin's path needs less",
        _ => ForAny(errno),
    };

    internal static string? ForAny(Errno errno) => errno switch
    {
        Errno.ENOSYS => "this kernel is built without bpf(2) (CONFIG_BPF_SYSCALL)",
        _ => null,
    };

    private static string WhatIsMissing(string path)
    {
        string? directory = Path.GetDirectoryName(Path.GetFullPath(path));
        while (directory is not null && IsOnBpffs(directory) is null)
            directory = Path.GetDirectoryName(directory);
        return directory is not null && IsOnBpffs(directory) == true
            ? $"the bpf file system there ({directory}) has no such pin; is the agent that makes it running on this node?"
            : $"no bpf file system is mounted there ({directory} is another one); in a container, mount the host's /sys/fs/bpf (hostPath)";
    }

    /// <summary>Maps that would do, for whoever may list them.</summary>
    private static string Candidates()
    {
        string[] found =
        [
            .. (LoadedMaps.OfKnownLayouts() ?? []).Select(static map =>
                string.Create(CultureInfo.InvariantCulture, $"id:{map.Id} ('{map.Name}', {map.Layout})")),
        ];
        return found.Length == 0 ? "" : $"; loaded on this machine and of a known layout: {string.Join(", ", found)}";
    }

    /// <summary>Null when there is nothing at the path, or nothing that may be looked at.</summary>
    private static unsafe bool? IsOnBpffs(string path)
    {
        long* buffer = stackalloc long[32]; // struct statfs: 120 bytes, the first field f_type
        return Libc.statfs(path, buffer) == 0 ? buffer[0] == BPF_FS_MAGIC : null;
    }
}
