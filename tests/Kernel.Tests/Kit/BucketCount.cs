using System.Globalization;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>The size of the kernel's hash table: one for the machine, put back on dispose. Hold <see cref="TableSize"/> meanwhile.</summary>
public sealed class BucketCount : IDisposable
{
    private const string Path = "/proc/sys/net/netfilter/nf_conntrack_buckets";

    private readonly string _original = File.ReadAllText(Path).Trim();

    public void Set(int buckets) => File.WriteAllText(Path, buckets.ToString(CultureInfo.InvariantCulture));

    public void Dispose() => File.WriteAllText(Path, _original);
}
