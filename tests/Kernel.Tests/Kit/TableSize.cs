using System.Globalization;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Room in the connection table. nf_conntrack_max is one for the machine: held under a lock, which the benchmarks take too, and put back on
/// dispose. While held, the lock's file contains the value to put back, so that the next holder can after a kill.
/// </summary>
public sealed class TableSize : IDisposable
{
    private const string MaxPath = "/proc/sys/net/netfilter/nf_conntrack_max";
    private const string LockPath = "/run/lock/conntrack-stream-table.lock";

    private readonly FileStream _lock;
    private readonly string _original;

    private TableSize(FileStream held, int flows)
    {
        _lock = held;
        AtExit.Register(this);
        using StreamReader reader = new(_lock, leaveOpen: true);
        string leftBehind = reader.ReadToEnd().Trim();
        _original = leftBehind.Length > 0 ? leftBehind : File.ReadAllText(MaxPath).Trim();
        Remember(_original);
        File.WriteAllText(
            MaxPath, Math.Max(flows, int.Parse(_original, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Waits its turn, then makes room for so many entries.</summary>
    public static TableSize AtLeast(int flows)
    {
        Requirements.Root();
        FileStream? held = null;
        Eventually.True(() => (held = TryLock()) is not null, TimeSpan.FromMinutes(5), waitedFor: $"the lock {LockPath}");
        return new TableSize(held!, flows);
    }

    /// <summary>Puts back what a killed run has changed, unless another run holds it now.</summary>
    internal static void RestoreLeftBehind()
    {
        if (TryLock() is not { } held)
            return;
        using TableSize size = new(held, flows: 0);
        BucketCount.RestoreLeftBehind();
    }

    public void Dispose()
    {
        if (!AtExit.Take(this))
            return;
        File.WriteAllText(MaxPath, _original);
        Remember("");
        _lock.Dispose();
    }

    private static FileStream? TryLock()
    {
        try
        {
            return new FileStream(LockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); // flock(LOCK_EX | LOCK_NB)
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Remember(string value)
    {
        _lock.SetLength(0);
        _lock.Write(System.Text.Encoding.ASCII.GetBytes(value));
        _lock.Flush();
    }
}
