using System.Runtime.InteropServices;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>A bpf file system of one test, on a fresh directory. Its pins, and the maps only they hold, go with it on dispose. Needs root.</summary>
public sealed unsafe partial class BpfMount : IDisposable
{
    private const int BPF_PROG_LOAD = 5, BPF_OBJ_PIN = 6;
    private const int BPF_PROG_TYPE_SOCKET_FILTER = 1;

    private static readonly nint CallNumber = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 280 : 321; // __NR_bpf

    public BpfMount()
    {
        Requirements.Root();
        Directory = System.IO.Directory.CreateTempSubdirectory("cs-bpffs-").FullName;
        AtExit.Register(this);
        try
        {
            KitLibc.Check(mount("bpf", Directory, "bpf", 0, null), "mount");
        }
        catch
        {
            AtExit.Take(this);
            System.IO.Directory.Delete(Directory);
            throw;
        }
    }

    public string Directory { get; }

    /// <summary>Where a pin of this name would be.</summary>
    public string Path(string pin) => System.IO.Path.Join(Directory, pin);

    /// <summary>Loads the smallest program and pins it.</summary>
    public void PinProgram(string pin)
    {
        ReadOnlySpan<byte> program = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]; // r0 = 0; exit
        fixed (byte* instructions = program, license = "GPL\0"u8, path = System.Text.Encoding.UTF8.GetBytes(Path(pin) + '\0'))
        {
            ulong* load = stackalloc ulong[6] { 2UL << 32 | BPF_PROG_TYPE_SOCKET_FILTER, (ulong)instructions, (ulong)license, 0, 0, 0 };
            nint fd = KitLibc.Check((int)syscall(CallNumber, BPF_PROG_LOAD, load, 6 * sizeof(ulong)), "BPF_PROG_LOAD");
            ulong* named = stackalloc ulong[2] { (ulong)path, (ulong)fd };
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = new(fd, ownsHandle: true);
            KitLibc.Check((int)syscall(CallNumber, BPF_OBJ_PIN, named, 2 * sizeof(ulong)), "BPF_OBJ_PIN");
        }
    }

    public void Dispose()
    {
        if (!AtExit.Take(this))
            return;
        KitLibc.Check(umount2(Directory, 0), "umount2");
        System.IO.Directory.Delete(Directory);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string type, ulong flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint command, void* attributes, nint size);
}
