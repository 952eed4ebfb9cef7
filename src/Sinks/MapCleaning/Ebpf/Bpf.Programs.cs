using System.Runtime.InteropServices;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>Where a tcx program sees packets: enum bpf_attach_type.</summary>
internal enum TcxHook : uint
{
    Ingress = 46, // BPF_TCX_INGRESS
    Egress = 47, // BPF_TCX_EGRESS
}

/// <summary>What a datapath takes, which the service itself never has: only the demonstration and the tests load programs.</summary>
internal static unsafe partial class Bpf
{
    private const uint BPF_PROG_TYPE_SCHED_CLS = 3;
    private const int LogSize = 65536;

    /// <summary>BPF_PROG_LOAD of a program that judges packets.</summary>
    /// <param name="code">struct bpf_insn each.</param>
    /// <param name="name">At most 15 letters, digits, <c>_</c> and <c>.</c>.</param>
    /// <param name="log">The verifier's words.</param>
    internal static Errno LoadClassifier(ReadOnlySpan<ulong> code, string name, out SafeFileHandle program, out string log)
    {
        byte[] text = new byte[LogSize];
        fixed (ulong* instructions = code)
        fixed (byte* license = "MIT\0"u8, words = text)
        {
            BpfProgLoad attributes = new()
            {
                ProgType = BPF_PROG_TYPE_SCHED_CLS,
                InsnCount = (uint)code.Length,
                Insns = instructions,
                License = license,
                LogLevel = 1,
                LogSize = LogSize,
                LogBuf = words,
            };
            Encoding.ASCII.GetBytes(name, new Span<byte>(attributes.Name, BpfMapInfo.NameSize - 1));
            Errno errno;
            do
                errno = Open(BpfCommand.ProgLoad, &attributes, sizeof(BpfProgLoad), out program);
            while (errno == Errno.EAGAIN); // a signal made the verifier give up
            log = Encoding.ASCII.GetString(text).TrimEnd('\0');
            return errno;
        }
    }

    /// <summary>
    /// BPF_LINK_CREATE at an interface of the calling thread's network namespace, until the link is closed. EINVAL before Linux 6.6.
    /// </summary>
    internal static Errno AttachTcx(SafeFileHandle program, uint interfaceIndex, TcxHook hook, out SafeFileHandle link)
    {
        using Descriptor fd = new(program);
        BpfLinkCreate attributes = new() { ProgFd = fd.Number, TargetIfindex = interfaceIndex, AttachType = hook };
        return Open(BpfCommand.LinkCreate, &attributes, sizeof(BpfLinkCreate), out link);
    }

    /// <summary>An array of values under the keys 0, 1, ….</summary>
    internal static Errno CreateArray(int valueSize, uint length, string name, out SafeFileHandle map)
    {
        BpfMapCreate attributes = new()
        {
            MapType = BpfMapType.array,
            KeySize = sizeof(uint),
            ValueSize = (uint)valueSize,
            MaxEntries = length,
        };
        Encoding.ASCII.GetBytes(name, new Span<byte>(attributes.Name, BpfMapInfo.NameSize - 1));
        return Create(ref attributes, out map);
    }

    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct BpfProgLoad // BPF_PROG_LOAD
    {
        [FieldOffset(0)] public uint ProgType; // prog_type
        [FieldOffset(4)] public uint InsnCount; // insn_cnt
        [FieldOffset(8)] public ulong* Insns; // insns
        [FieldOffset(16)] public byte* License; // license
        [FieldOffset(24)] public uint LogLevel; // log_level
        [FieldOffset(28)] public uint LogSize; // log_size
        [FieldOffset(32)] public byte* LogBuf; // log_buf
        [FieldOffset(48)] public fixed byte Name[BpfMapInfo.NameSize]; // prog_name
    }

    [StructLayout(LayoutKind.Explicit, Size = 32)]
    private struct BpfLinkCreate // BPF_LINK_CREATE: link_create.
    {
        [FieldOffset(0)] public int ProgFd; // prog_fd
        [FieldOffset(4)] public uint TargetIfindex; // target_ifindex
        [FieldOffset(8)] public TcxHook AttachType; // attach_type
    }
}
