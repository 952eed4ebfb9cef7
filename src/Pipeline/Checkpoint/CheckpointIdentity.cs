using System.Globalization;

namespace ConntrackStream.Pipeline.Checkpoint;

/// <summary>
/// Which connection table a checkpoint is about: flow ids mean nothing after a reboot or in another network namespace, so a checkpoint with
/// another identity matches no flow.
/// </summary>
/// <param name="BootId">/proc/sys/kernel/random/boot_id.</param>
/// <param name="NetworkNamespace">Inode of the network namespace, as in <c>net:[4026531840]</c>.</param>
public readonly record struct CheckpointIdentity(Guid BootId, ulong NetworkNamespace)
{
    /// <summary>Of the running kernel and the network namespace of the calling thread.</summary>
    /// <exception cref="IOException">/proc is not mounted.</exception>
    public static CheckpointIdentity OfThread()
    {
        Guid boot = Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id"));
        string link = File.ResolveLinkTarget("/proc/thread-self/ns/net", returnFinalTarget: false)?.Name
            ?? throw new IOException("/proc/thread-self/ns/net is not a link: is /proc mounted?");
        return new CheckpointIdentity(boot, ulong.Parse(link.AsSpan()["net:[".Length..^1], CultureInfo.InvariantCulture));
    }
}
