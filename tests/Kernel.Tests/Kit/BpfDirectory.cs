using System.Globalization;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>An own bpffs, mounted on a fresh directory, for pins. Unmounted, which ends the pins, on dispose.</summary>
public sealed class BpfDirectory : IDisposable
{
    private static int _last;

    public BpfDirectory()
    {
        Requirements.Root();
        string name = string.Create(CultureInfo.InvariantCulture, $"cs-bpf-{Environment.ProcessId}-{Interlocked.Increment(ref _last)}");
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), name);
        Directory.CreateDirectory(Path);
        KitLibc.Check(KitLibc.mount("bpf", Path, "bpf", 0, 0), $"mount(bpf, {Path})");
        AtExit.Register(this);
    }

    public string Path { get; }

    public void Dispose()
    {
        if (!AtExit.Take(this))
            return;
        KitLibc.Check(KitLibc.umount2(Path, KitLibc.MNT_DETACH), $"umount2({Path})");
        Directory.Delete(Path);
    }
}
