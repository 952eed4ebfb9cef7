using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>What a gate has done so far, in packets.</summary>
/// <param name="Opened">Forward packets that made an entry.</param>
/// <param name="ForwardPassed">All forward packets, those too.</param>
/// <param name="ReplyPassed">Replies that found their entry.</param>
/// <param name="ReplyDropped">Replies that found none.</param>
public readonly record struct GateCounts(long Opened, long ForwardPassed, long ReplyPassed, long ReplyDropped);

/// <summary>A policy agent's datapath on one host-side veth, for as long as it is not disposed. Needs tcx: Linux 6.6.</summary>
public sealed unsafe class TcxGate : IDisposable
{
    private readonly SafeFileHandle _counters;
    private readonly SafeFileHandle _forward;
    private readonly SafeFileHandle _reply;

    /// <param name="device">The host's end of the pod's veth, in <paramref name="node"/>.</param>
    public TcxGate(KernelNamespace node, string device, GateDirection direction, RawFlowMap map)
    {
        uint counters = (uint)Enum.GetValues<GateCounter>().Length;
        _counters = KitBpf.CreateMap(KitBpf.BPF_MAP_TYPE_ARRAY, sizeof(uint), sizeof(long), counters, "gate_counters");
        InterfaceIndex = node.Run(() => KitLibc.if_nametoindex(device)); // 0 when there is none: attaching fails with EINVAL
        bool towards = direction == GateDirection.TowardsPod;
        _forward = Attach(node, map, direction, reply: false, towards ? KitBpf.BPF_TCX_EGRESS : KitBpf.BPF_TCX_INGRESS);
        _reply = Attach(node, map, direction, reply: true, towards ? KitBpf.BPF_TCX_INGRESS : KitBpf.BPF_TCX_EGRESS);
    }

    /// <summary>Of the host's veth: what the keys carry.</summary>
    public uint InterfaceIndex { get; }

    public GateCounts Counts =>
        new(Read(GateCounter.Opened), Read(GateCounter.ForwardPassed), Read(GateCounter.ReplyPassed), Read(GateCounter.ReplyDropped));

    public void Dispose()
    {
        _forward.Dispose();
        _reply.Dispose();
        _counters.Dispose();
    }

    /// <summary>The link lives as long as its descriptor; it is made in the calling thread's network namespace.</summary>
    private SafeFileHandle Attach(KernelNamespace node, RawFlowMap map, GateDirection direction, bool reply, uint hook)
    {
        using SafeFileHandle program = GateProgram.Load(map, _counters, direction, reply, InterfaceIndex);
        KitBpf.LinkAttr attr = new() { ProgramFd = KitBpf.Fd(program), InterfaceIndex = InterfaceIndex, AttachType = hook };
        return new SafeFileHandle(node.Run(() => KitBpf.Call(KitBpf.BPF_LINK_CREATE, ref attr, "attaching the gate by tcx")), ownsHandle: true);
    }

    private long Read(GateCounter counter)
    {
        uint index = (uint)counter;
        long value;
        KitBpf.ElementAttr attr = new() { MapFd = KitBpf.Fd(_counters), Key = &index, Value = &value };
        KitBpf.Call(KitBpf.BPF_MAP_LOOKUP_ELEM, ref attr, $"reading the gate's counter {counter}");
        return value;
    }
}
