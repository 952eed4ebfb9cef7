using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>What a gate has done so far, in packets.</summary>
/// <param name="Opened">Forward packets that made an entry.</param>
/// <param name="ForwardPassed">All forward packets, those too.</param>
/// <param name="ReplyPassed">Replies that found their entry.</param>
/// <param name="ReplyDropped">Replies that found none.</param>
internal readonly record struct GateCounts(long Opened, long ForwardPassed, long ReplyPassed, long ReplyDropped);

/// <summary>A policy agent's datapath on one host-side veth, for as long as it is not disposed. Needs tcx: Linux 6.6.</summary>
internal sealed class TcxGate : IDisposable
{
    private readonly List<SafeFileHandle> _owned = [];
    private readonly SafeFileHandle _counters;

    /// <param name="node">Where the pod's link ends.</param>
    /// <param name="interfaceIndex">The host's end of it: what the keys carry.</param>
    /// <exception cref="PlatformNotSupportedException">The kernel has no tcx.</exception>
    /// <exception cref="FlowMapException">EPERM: not permitted.</exception>
    internal TcxGate(NetworkNamespace node, uint interfaceIndex, GateDirection direction, GateMap map)
    {
        InterfaceIndex = interfaceIndex;
        _counters = CreateCounters();
        _owned.Add(_counters);
        bool towards = direction == GateDirection.TowardsPod;
        try
        {
            Attach(node, map, direction, reply: false, towards ? TcxHook.Egress : TcxHook.Ingress);
            Attach(node, map, direction, reply: true, towards ? TcxHook.Ingress : TcxHook.Egress);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal uint InterfaceIndex { get; }

    internal GateCounts Counts =>
        new(Read(GateCounter.Opened), Read(GateCounter.ForwardPassed), Read(GateCounter.ReplyPassed), Read(GateCounter.ReplyDropped));

    public void Dispose() => _owned.ForEach(static one => one.Dispose());

    /// <summary>What it means that the kernel refuses the hook.</summary>
    internal static Exception Refusal(Errno errno) => errno == Errno.EINVAL
        ? new PlatformNotSupportedException("this kernel cannot attach eBPF programs by tcx: that needs Linux 6.6 with CONFIG_NET_XGRESS")
        : new FlowMapException("attaching the gate by tcx", errno, errno == Errno.EPERM ? "this needs CAP_BPF and CAP_NET_ADMIN" : null);

    private static SafeFileHandle CreateCounters()
    {
        uint length = (uint)Enum.GetValues<GateCounter>().Length;
        Errno errno = Bpf.CreateArray(sizeof(long), length, "gate_counters", out SafeFileHandle counters);
        return errno == Errno.None
            ? counters
            : throw new FlowMapException("creating the map 'gate_counters'", errno, errno == Errno.EPERM ? "this needs CAP_BPF" : null);
    }

    /// <summary>The link lives as long as its descriptor; it is made in the calling thread's network namespace.</summary>
    private void Attach(NetworkNamespace node, GateMap map, GateDirection direction, bool reply, TcxHook hook)
    {
        using SafeFileHandle program = GateProgram.Load(map, _counters, direction, reply, InterfaceIndex);
        (Errno errno, SafeFileHandle link) = node.Run(() => (Bpf.AttachTcx(program, InterfaceIndex, hook, out SafeFileHandle made), made));
        if (errno != Errno.None)
            throw Refusal(errno);
        _owned.Add(link);
    }

    private long Read(GateCounter counter)
    {
        uint index = (uint)counter;
        long value = 0;
        ReadOnlySpan<byte> key = MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in index));
        Errno errno = Bpf.Element(BpfCommand.MapLookupElem, _counters, key, MemoryMarshal.AsBytes(new Span<long>(ref value)));
        return errno == Errno.None ? value : throw new FlowMapException($"reading the gate's counter {counter}", errno);
    }
}
