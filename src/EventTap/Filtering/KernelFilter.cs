using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>
/// The part of a <see cref="FlowFilter"/> the kernel can judge on the event socket (SO_ATTACH_FILTER): family, protocols, addresses, ports
/// and zones, also of each alternative (<see cref="FlowFilter.AnyOf"/>). It refuses nothing that <see cref="FlowFilter.Matches"/> would
/// take; what it cannot judge (NAT, an event it cannot read) and what is no ctnetlink event at all (the tap's own barrier) passes. Not for
/// request sockets: it would swallow the end of a dump.
/// </summary>
internal sealed class KernelFilter
{
    private const uint TypeOffset = 4; // nlmsghdr.nlmsg_type
    private const uint FamilyOffset = 16; // nfgenmsg.nfgen_family
    private const uint AttributesOffset = 20; // behind nlmsghdr and nfgenmsg
    private const uint PayloadOffset = 4; // behind struct nlattr
    private const uint OriginalSlot = 0; // M[]: where the tuples begin
    private const uint ReplySlot = 1;

    private readonly BpfProgram _program = new();
    private readonly BpfLabel _accept = new();
    private readonly BpfLabel _reject = new();
    private BpfLabel _miss; // where a condition that does not hold leads

    private KernelFilter() => _miss = _reject;

    /// <summary>One end of a tuple, in both families.</summary>
    private readonly record struct End(uint TupleSlot, uint IPv4, uint IPv6);

    /// <summary>Makes the program for a filter.</summary>
    /// <param name="program">null when the kernel can judge none of its conditions.</param>
    /// <param name="error">Why there is no program although there are conditions: it would be longer than the kernel takes.</param>
    internal static bool TryCompile(FlowFilter filter, out BpfInstruction[]? program, [NotNullWhen(false)] out string? error)
    {
        program = null;
        error = null;
        if (!filter.HasKernelConditions)
            return true;
        BpfInstruction[] assembled = new KernelFilter().Compile(filter);
        if (assembled.Length > BpfProgram.MaxLength)
        {
            error = $"its conditions make a kernel filter of {assembled.Length} instructions, of which the kernel takes "
                + $"{BpfProgram.MaxLength}";
            return false;
        }

        program = assembled;
        return true;
    }

    private BpfInstruction[] Compile(FlowFilter filter)
    {
        SelectEvents();
        RequireFamily(filter.Family);
        FindTuples();
        Require(filter);
        if (filter.HasKernelAlternatives)
            RequireOne(filter.AnyOf);
        _program.Place(_accept);
        _program.Return(uint.MaxValue);
        _program.Place(_reject);
        _program.Return(0);
        return _program.Assemble();
    }

    private void RequireOne(ImmutableArray<FlowFilter> alternatives)
    {
        foreach (FlowFilter alternative in alternatives)
        {
            BpfLabel next = _miss = new BpfLabel();
            RequireFamily(alternative.Family);
            Require(alternative);
            _program.Jump(_accept);
            _program.Place(next);
        }

        _program.Jump(_reject);
    }

    private void Require(FlowFilter filter)
    {
        RequireProtocol(filter.Protocols);
        RequireZone(filter.Zones);
        RequirePort(filter.SourcePorts, OriginalSlot, CTA_PROTO_SRC_PORT);
        RequirePort(filter.DestinationPorts, OriginalSlot, CTA_PROTO_DST_PORT);
        RequirePort(filter.ReplySourcePorts, ReplySlot, CTA_PROTO_SRC_PORT);
        RequirePort(filter.ReplyDestinationPorts, ReplySlot, CTA_PROTO_DST_PORT);
        End source = new(OriginalSlot, CTA_IP_V4_SRC, CTA_IP_V6_SRC), replySource = source with { TupleSlot = ReplySlot };
        End destination = new(OriginalSlot, CTA_IP_V4_DST, CTA_IP_V6_DST), replyDestination = destination with { TupleSlot = ReplySlot };
        RequirePrefix(filter.Sources, [source]);
        RequirePrefix(filter.Destinations, [destination]);
        RequirePrefix(filter.ReplySources, [replySource]);
        RequirePrefix(filter.ReplyDestinations, [replyDestination]);
        RequirePrefix(filter.Addresses, [source, destination, replySource, replyDestination]);
    }

    private void SelectEvents()
    {
        BpfLabel isEvent = new();
        _program.LoadHalf(TypeOffset);
        _program.JumpIfEqual(TypeAsLoaded(IPCTNL_MSG_CT_NEW), isEvent);
        _program.JumpIfNotEqual(TypeAsLoaded(IPCTNL_MSG_CT_DELETE), _accept);
        _program.Place(isEvent);
    }

    // nlmsg_type is in host order, while BPF loads are big-endian.
    private static uint TypeAsLoaded(byte message)
    {
        ushort type = Nfnl.MessageType(Nfnl.NFNL_SUBSYS_CTNETLINK, message);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(type) : type;
    }

    private void RequireFamily(FlowFamily family)
    {
        if (family == FlowFamily.Unspecified)
            return;
        _program.LoadByte(FamilyOffset);
        _program.JumpIfNotEqual((uint)family, _miss);
    }

    private void FindTuples()
    {
        _program.FindAttribute(AttributesOffset, CTA_TUPLE_ORIG);
        _program.JumpIfEqual(0, _accept);
        _program.StoreSlot(OriginalSlot);
        _program.FindAttribute(AttributesOffset, CTA_TUPLE_REPLY);
        _program.JumpIfEqual(0, _accept);
        _program.StoreSlot(ReplySlot);
    }

    private void RequireProtocol(ImmutableArray<IpProtocol> protocols)
    {
        if (protocols.IsEmpty)
            return;
        BpfLabel next = new();
        FindInTuple(OriginalSlot, CTA_TUPLE_PROTO, CTA_PROTO_NUM, missing: _accept);
        _program.LoadByteAtX(PayloadOffset);
        foreach (IpProtocol protocol in protocols)
            _program.JumpIfEqual((uint)protocol, next);
        _program.Jump(_miss);
        _program.Place(next);
    }

    // A zone for both directions is CTA_ZONE; one for a single direction is in that direction's tuple, the other one then is in zone 0.
    private void RequireZone(ImmutableArray<ushort> zones)
    {
        if (zones.IsEmpty)
            return;
        BpfLabel next = new(), directional = new();
        _program.FindAttribute(AttributesOffset, CTA_ZONE);
        _program.JumpIfEqual(0, directional);
        CompareHalf(zones, next);
        _program.Jump(_miss);
        _program.Place(directional);
        RequireTupleZone(OriginalSlot, zones, next);
        RequireTupleZone(ReplySlot, zones, next);
        _program.Jump(_miss);
        _program.Place(next);
    }

    private void RequireTupleZone(uint slot, ImmutableArray<ushort> zones, BpfLabel match)
    {
        BpfLabel none = new();
        _program.LoadSlot(slot);
        _program.FindNested(CTA_TUPLE_ZONE);
        _program.JumpIfEqual(0, zones.Contains((ushort)0) ? match : none);
        CompareHalf(zones, match);
        _program.Place(none);
    }

    private void RequirePort(ImmutableArray<PortRange> ports, uint slot, uint attribute)
    {
        if (ports.IsEmpty)
            return;
        BpfLabel next = new();
        FindInTuple(slot, CTA_TUPLE_PROTO, attribute, missing: _miss);
        _program.LoadHalfAtX(PayloadOffset);
        foreach (PortRange range in ports)
            ComparePorts(range, next);
        _program.Jump(_miss);
        _program.Place(next);
    }

    private void RequirePrefix(ImmutableArray<IpPrefix> prefixes, ReadOnlySpan<End> ends)
    {
        if (prefixes.IsEmpty)
            return;
        BpfLabel next = new(), isIPv4 = new();
        _program.LoadByte(FamilyOffset);
        _program.JumpIfEqual((uint)FlowFamily.IPv4, isIPv4);
        _program.JumpIfNotEqual((uint)FlowFamily.IPv6, _miss);
        ComparePrefixes(prefixes, ends, FlowFamily.IPv6, next);
        _program.Place(isIPv4);
        ComparePrefixes(prefixes, ends, FlowFamily.IPv4, next);
        _program.Place(next);
    }

    private void ComparePrefixes(ImmutableArray<IpPrefix> prefixes, ReadOnlySpan<End> ends, FlowFamily family, BpfLabel match)
    {
        if (prefixes.Any(p => p.Family == family))
        {
            foreach (End end in ends)
            {
                FindInTuple(end.TupleSlot, CTA_TUPLE_IP, family == FlowFamily.IPv4 ? end.IPv4 : end.IPv6, missing: _accept);
                foreach (IpPrefix prefix in prefixes.Where(p => p.Family == family))
                    ComparePrefix(prefix, match);
            }
        }

        _program.Jump(_miss);
    }

    private void ComparePrefix(IpPrefix prefix, BpfLabel match)
    {
        Span<byte> network = stackalloc byte[16], mask = stackalloc byte[16];
        int length = prefix.Network.WriteTo(network, prefix.Family);
        prefix.Mask.WriteTo(mask, prefix.Family);
        int last = mask[..length].LastIndexOfAnyExcept((byte)0) / sizeof(uint) * sizeof(uint); // the last word with a bit that counts
        BpfLabel differs = new();
        for (int at = 0; at <= last; at += sizeof(uint))
        {
            uint bits = BinaryPrimitives.ReadUInt32BigEndian(mask[at..]), wanted = BinaryPrimitives.ReadUInt32BigEndian(network[at..]);
            if (bits == 0 && at < last)
                continue;
            _program.LoadWordAtX(PayloadOffset + (uint)at);
            if (bits != uint.MaxValue)
                _program.AndWith(bits);
            if (at == last)
                _program.JumpIfEqual(wanted, match);
            else
                _program.JumpIfNotEqual(wanted, differs);
        }

        _program.Place(differs);
    }

    /// <summary>X = offset of an attribute in a part of a tuple.</summary>
    private void FindInTuple(uint slot, uint part, uint attribute, BpfLabel missing)
    {
        _program.LoadSlot(slot);
        _program.FindNested(part);
        _program.JumpIfEqual(0, _accept);
        _program.FindNested(attribute);
        _program.JumpIfEqual(0, missing);
        _program.CopyAToX();
    }

    private void CompareHalf(ImmutableArray<ushort> values, BpfLabel match)
    {
        _program.CopyAToX();
        _program.LoadHalfAtX(PayloadOffset);
        foreach (ushort value in values)
            _program.JumpIfEqual(value, match);
    }

    /// <summary>A is a port.</summary>
    private void ComparePorts(PortRange range, BpfLabel match)
    {
        if (range.First == range.Last)
        {
            _program.JumpIfEqual(range.First, match);
            return;
        }

        BpfLabel below = new();
        if (range.First > 0)
            _program.JumpIfAtMost(range.First - 1u, below);
        _program.JumpIfAtMost(range.Last, match);
        _program.Place(below);
    }
}
