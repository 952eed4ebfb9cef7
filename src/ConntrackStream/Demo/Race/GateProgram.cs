using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.Service.Demo.Race.Reg;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>Whose packets open the gate.</summary>
public enum GateDirection
{
    /// <summary>Clients outside dial the pod: egress of the host's veth is forward, ingress the reply.</summary>
    TowardsPod,

    /// <summary>The pod dials out: ingress of the host's veth is forward, egress the reply.</summary>
    FromPod,
}

/// <summary>Slots of the gate's array of counters.</summary>
internal enum GateCounter
{
    Opened,
    ForwardPassed,
    ReplyPassed,
    ReplyDropped,
}

/// <summary>
/// The datapath of a policy agent, for one host-side veth and its map's family: a forward packet makes its key in the map if there is none
/// and passes; a reply passes if the map has the reversed key and is dropped otherwise. Later fragments, neighbour discovery and what is
/// neither TCP, UDP, SCTP nor ICMP pass untouched, so do all fragments of IPv6.
/// </summary>
internal sealed class GateProgram
{
    private const int Protocol = 16; // struct __sk_buff: protocol
    private const int EthernetLength = 14;
    private const int Key = -64, Header = -104, Ports = -108, Index = -112, Value = -128; // on the stack
    private const int TCX_PASS = 0, TCX_DROP = 2;

    private readonly BpfAssembler _code = new();
    private readonly GateMap _map;
    private readonly SafeFileHandle _counters;

    private GateProgram(GateMap map, SafeFileHandle counters)
    {
        _map = map;
        _counters = counters;
    }

    /// <param name="reply">The program of the reply's hook; otherwise the forward one.</param>
    /// <param name="interfaceIndex">Of the host's veth, as keys carry it.</param>
    /// <exception cref="FlowMapException">The kernel refuses it; the message has the verifier's words.</exception>
    internal static SafeFileHandle Load(GateMap map, SafeFileHandle counters, GateDirection direction, bool reply, uint interfaceIndex)
    {
        GateProgram program = new(map, counters);
        program.ReadPacket();
        program.WriteKey(direction, reply, interfaceIndex);
        program.LookUp(map.Handle, Key);
        if (reply)
            program.Check();
        else
            program.Open();
        program._code.Label("untouched");
        program._code.Return(TCX_PASS);
        return Load(program._code.Assemble(), reply ? "gate_reply" : "gate_forward");
    }

    /// <summary>IP header to the stack, protocol to R8, ports (0 for ICMP) to the stack.</summary>
    private void ReadPacket()
    {
        bool ipv6 = _map.IsIPv6;
        _code.Copy(R6, R1);
        _code.Load(Width.Word, R2, R6, Protocol);
        _code.JumpUnlessEqual(R2, ipv6 ? 0xdd86 : 0x0008, "untouched"); // htons(ETH_P_IPV6), htons(ETH_P_IP)
        _code.Set(R2, EthernetLength);
        ReadBytes(Header, ipv6 ? 40 : 20);
        if (ipv6)
            ReadHeader6();
        else
            ReadHeader4();
        _code.JumpIfEqual(R8, 6, "ports"); // IPPROTO_TCP
        _code.JumpIfEqual(R8, 17, "ports"); // IPPROTO_UDP
        _code.JumpUnlessEqual(R8, 132, "untouched"); // IPPROTO_SCTP
        _code.Label("ports");
        _code.Copy(R2, R7);
        ReadBytes(Ports, 4);
        _code.Label("key");
    }

    /// <summary>Offset of the transport header to R7, its protocol to R8.</summary>
    private void ReadHeader4()
    {
        _code.Load(Width.Half, R2, R10, Header + 6);
        _code.And(R2, 0xff1f); // htons(IP_OFFSET)
        _code.JumpUnlessEqual(R2, 0, "untouched");
        _code.Load(Width.Byte, R7, R10, Header);
        _code.And(R7, 0xf);
        _code.ShiftLeft(R7, 2);
        _code.Add(R7, EthernetLength);
        _code.Load(Width.Byte, R8, R10, Header + 9);
        _code.Store(Width.Word, R10, Ports, 0);
        _code.JumpIfEqual(R8, 1, "key"); // IPPROTO_ICMP
    }

    /// <inheritdoc cref="ReadHeader4"/>
    private void ReadHeader6()
    {
        _code.Set(R7, EthernetLength + 40);
        _code.Load(Width.Byte, R8, R10, Header + 6);
        _code.JumpUnlessEqual(R8, 58, "transport"); // IPPROTO_ICMPV6
        _code.Copy(R2, R7);
        ReadBytes(Ports, 4);
        _code.Load(Width.Byte, R2, R10, Ports);
        _code.Store(Width.Word, R10, Ports, 0);
        _code.And(R2, 0xfe);
        _code.JumpIfEqual(R2, 128, "key"); // echo request and reply; neighbour discovery is 133 and on
        _code.Jump("untouched");
        _code.Label("transport");
    }

    /// <summary>From offset R2 of the packet.</summary>
    private void ReadBytes(int to, int length)
    {
        _code.Copy(R1, R6);
        _code.StackAddress(R3, to);
        _code.Set(R4, length);
        _code.Call(Helper.SkbLoadBytes);
        _code.JumpUnlessEqual(R0, 0, "untouched");
    }

    /// <summary>The key of the forward direction.</summary>
    private void WriteKey(GateDirection direction, bool reply, uint interfaceIndex)
    {
        AgentKeyLayout layout = _map.Key;
        int source = _map.IsIPv6 ? Header + 8 : Header + 12, destination = source + layout.AddressLength; // of the packet
        if (reply)
            (source, destination) = (destination, source);
        for (int i = Key; i < 0; i += sizeof(ulong))
            _code.Store(Width.Double, R10, i, 0);
        CopyAddress(Key, source);
        CopyAddress(Key + layout.Destination, destination);
        CopyAddress(Key + layout.Owner, direction == GateDirection.TowardsPod ? destination : source);
        CopyPort(Key + layout.SourcePort, reply ? Ports + 2 : Ports);
        CopyPort(Key + layout.DestinationPort, reply ? Ports : Ports + 2);
        _code.Store(Width.Byte, R10, Key + layout.Protocol, R8);
        _code.Store(Width.Word, R10, Key + layout.InterfaceIndex, (int)interfaceIndex);
    }

    private void CopyAddress(int to, int from)
    {
        for (int i = 0; i < _map.Key.AddressLength; i += sizeof(uint))
        {
            _code.Load(Width.Word, R2, R10, from + i);
            _code.Store(Width.Word, R10, to + i, R2);
        }
    }

    private void CopyPort(int to, int from)
    {
        _code.Load(Width.Half, R2, R10, from);
        _code.ToHost16(R2);
        _code.Store(Width.Half, R10, to, R2);
    }

    private void Open()
    {
        _code.JumpUnlessEqual(R0, 0, "known");
        _code.Store(Width.Double, R10, Value, 0);
        _code.Store(Width.Double, R10, Value + 8, 0);
        if (_map.HasLastSeen)
        {
            _code.Call(Helper.KtimeGetNs);
            _code.Store(Width.Double, R10, Value + 8, R0);
        }

        _code.Map(R1, _map.Handle);
        _code.StackAddress(R2, Key);
        _code.StackAddress(R3, Value);
        _code.Set(R4, (int)Bpf.BPF_ANY);
        _code.Call(Helper.MapUpdate);
        Count(GateCounter.Opened);
        _code.Jump("passed");
        _code.Label("known");
        Touch();
        _code.Label("passed");
        Count(GateCounter.ForwardPassed);
    }

    private void Check()
    {
        _code.JumpIfEqual(R0, 0, "drop");
        Touch();
        Count(GateCounter.ReplyPassed);
        _code.Return(TCX_PASS);
        _code.Label("drop");
        Count(GateCounter.ReplyDropped);
        _code.Return(TCX_DROP);
    }

    /// <summary>last_seen of the entry R0 points at.</summary>
    private void Touch()
    {
        if (!_map.HasLastSeen)
            return;
        _code.Copy(R9, R0);
        _code.Call(Helper.KtimeGetNs);
        _code.Store(Width.Double, R9, 8, R0);
    }

    private void Count(GateCounter counter)
    {
        string done = $"counted {counter}";
        _code.Store(Width.Word, R10, Index, (int)counter);
        LookUp(_counters, Index);
        _code.JumpIfEqual(R0, 0, done);
        _code.Set(R1, 1);
        _code.AtomicAdd(R0, R1);
        _code.Label(done);
    }

    private void LookUp(SafeFileHandle map, int key)
    {
        _code.Map(R1, map);
        _code.StackAddress(R2, key);
        _code.Call(Helper.MapLookup);
    }

    private static SafeFileHandle Load(ulong[] code, string name)
    {
        Errno errno = Bpf.LoadClassifier(code, name, out SafeFileHandle program, out string log);
        return errno == Errno.None ? program : throw new FlowMapException($"loading the program {name}", errno, log);
    }
}
