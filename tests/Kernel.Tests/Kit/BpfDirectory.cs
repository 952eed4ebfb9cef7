using System.Globalization;
using Microsoft.Win32.SafeHandles;

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

    /// <summary>Where a pin of this name would be.</summary>
    public string PathOf(string pin) => System.IO.Path.Join(Path, pin);

    /// <summary>Loads the smallest program and pins it.</summary>
    public unsafe void PinProgram(string pin)
    {
        ReadOnlySpan<byte> program = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]; // r0 = 0; exit
        fixed (byte* instructions = program, license = "GPL\0"u8, path = System.Text.Encoding.UTF8.GetBytes(PathOf(pin) + '\0'))
        {
            KitBpf.ProgramAttr load =
                new() { Type = KitBpf.BPF_PROG_TYPE_SOCKET_FILTER, Instructions = 2, Code = instructions, License = license };
            using SafeFileHandle file = new(KitBpf.Call(KitBpf.BPF_PROG_LOAD, ref load, "loading a program"), ownsHandle: true);
            KitBpf.ObjectAttr named = new() { Path = path, Fd = KitBpf.Fd(file) };
            KitBpf.Call(KitBpf.BPF_OBJ_PIN, ref named, $"pinning {pin}");
        }
    }

    public void Dispose()
    {
        if (!AtExit.Take(this))
            return;
        KitLibc.Check(KitLibc.umount2(Path, KitLibc.MNT_DETACH), $"umount2({Path})");
        Directory.Delete(Path);
    }
}
