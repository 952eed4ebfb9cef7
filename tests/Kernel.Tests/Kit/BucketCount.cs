using System.Globalization;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// The size of the kernel's hash table: one for the machine, put back on dispose. Hold <see cref="TableSize"/> meanwhile. The value to put
/// back is in a file before it is changed, so that the next run can after a kill.
/// </summary>
public sealed class BucketCount : IDisposable
{
    private const string Path = "/proc/sys/net/netfilter/nf_conntrack_buckets";
    private const string RecordPath = "/run/lock/conntrack-stream-buckets";

    private readonly string _original;

    public BucketCount()
    {
        RestoreLeftBehind();
        _original = File.ReadAllText(Path).Trim();
        File.WriteAllText(RecordPath, _original);
        AtExit.Register(this);
    }

    public void Set(int buckets) => File.WriteAllText(Path, buckets.ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        if (AtExit.Take(this))
            RestoreLeftBehind();
    }

    /// <summary>Puts back what a killed run has changed. Hold <see cref="TableSize"/> meanwhile.</summary>
    internal static void RestoreLeftBehind()
    {
        if (!File.Exists(RecordPath))
            return;
        if (File.ReadAllText(RecordPath) is { Length: > 0 } original)
            File.WriteAllText(Path, original);
        File.Delete(RecordPath);
    }
}
