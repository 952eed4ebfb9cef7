using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

internal ref partial struct ConntrackLine
{
    [Flags]
    private enum TupleParts : byte
    {
        None = 0,
        Source = 1 << 0, // src
        Destination = 1 << 1, // dst
        SourcePort = 1 << 2, // sport, srckey, ICMP id
        DestinationPort = 1 << 3, // dport, dstkey, ICMP type
        IcmpCode = 1 << 4,
    }

    /// <summary>Fields of a tuple; a src begins the next one.</summary>
    private bool TryTupleField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int at, out bool ofTuple)
    {
        ofTuple = true;
        ref FlowTuple tuple = ref _inReply ? ref _event.Flow.Reply : ref _event.Flow.Original;
        ref TupleParts parts = ref _inReply ? ref _replyParts : ref _originalParts;
        if (name.SequenceEqual("src"u8))
            return TrySource(value, at);
        if (name.SequenceEqual("dst"u8))
            return TryAddress(value, at, ref tuple.Destination, ref parts, TupleParts.Destination);
        if (name.SequenceEqual("sport"u8) || name.SequenceEqual("srckey"u8))
            return TryPort(value, at, ref tuple.SourcePort, ref parts, TupleParts.SourcePort);
        if (name.SequenceEqual("dport"u8) || name.SequenceEqual("dstkey"u8))
            return TryPort(value, at, ref tuple.DestinationPort, ref parts, TupleParts.DestinationPort);
        if (name.SequenceEqual("type"u8))
            return TryTypeOrCode(value, at, ref tuple, ref parts, TupleParts.DestinationPort, shift: 8);
        if (name.SequenceEqual("code"u8))
            return TryTypeOrCode(value, at, ref tuple, ref parts, TupleParts.IcmpCode, shift: 0);
        if (name.SequenceEqual("id"u8)
            && tuple.IsIcmp
            && (parts & TupleParts.SourcePort) == TupleParts.None) // a later one is the entry's id
            return TryPort(value, at, ref tuple.SourcePort, ref parts, TupleParts.SourcePort);
        if (name.StartsWith("zone"u8))
            return TryZone(name, value, at);
        ofTuple = false;
        return true;
    }

    private bool TrySource(ReadOnlySpan<byte> value, int at)
    {
        if ((_replyParts & TupleParts.Source) != TupleParts.None)
            return Fail(at, "a third src: two lines in one?");
        if ((_originalParts & TupleParts.Source) == TupleParts.None)
            return TryAddress(value, at, ref _event.Flow.Original.Source, ref _originalParts, TupleParts.Source);
        _inReply = true;
        return TryAddress(value, at, ref _event.Flow.Reply.Source, ref _replyParts, TupleParts.Source);
    }

    private bool TryAddress(ReadOnlySpan<byte> value, int at, ref IpAddress address, ref TupleParts parts, TupleParts part)
    {
        FlowFamily family = value.Contains((byte)':') ? FlowFamily.IPv6 : FlowFamily.IPv4;
        if (!AddressText.TryParse(value, family, out address))
            return Fail(at, $"expected an address, found {ConntrackTextParser.Quote(value)}");
        if (_family == FlowFamily.Unspecified)
            _family = family;
        else if (_family != family)
            return Fail(at, "IPv4 and IPv6 in one flow");
        return TryTake(at, ref parts, part);
    }

    private bool TryPort(ReadOnlySpan<byte> value, int at, ref ushort port, ref TupleParts parts, TupleParts part)
    {
        if (!NumberText.TryParsePrefixed(value, ushort.MaxValue, out ulong number))
            return Fail(at, $"expected a number up to {ushort.MaxValue}, found {ConntrackTextParser.Quote(value)}");
        port = (ushort)number;
        return TryTake(at, ref parts, part);
    }

    private bool TryTypeOrCode(ReadOnlySpan<byte> value, int at, ref FlowTuple tuple, ref TupleParts parts, TupleParts part, int shift)
    {
        if (!NumberText.TryParse(value, byte.MaxValue, out ulong number))
            return Fail(at, $"expected a number up to {byte.MaxValue}, found {ConntrackTextParser.Quote(value)}");
        tuple.DestinationPort |= (ushort)(number << shift);
        return TryTake(at, ref parts, part);
    }

    private bool TryTake(int at, ref TupleParts parts, TupleParts part)
    {
        if ((parts & part) != TupleParts.None)
            return Fail(at, "the field comes twice in one tuple");
        parts |= part;
        return true;
    }

    private bool TryZone(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int at)
    {
        if (!NumberText.TryParse(value, ushort.MaxValue, out ulong zone))
            return Fail(at, $"expected a zone up to {ushort.MaxValue}, found {ConntrackTextParser.Quote(value)}");
        if (zone != 0 && !name.SequenceEqual("zone-reply"u8))
            _event.Flow.Original.Zone = (ushort)zone;
        if (zone != 0 && !name.SequenceEqual("zone-orig"u8))
            _event.Flow.Reply.Zone = (ushort)zone;
        return true;
    }

    private bool TryComplete(TupleParts parts, string which)
    {
        TupleParts required = TupleParts.Source | TupleParts.Destination;
        string needs = "src and dst";
        switch (_event.Flow.Original.Protocol)
        {
            case IpProtocol.Icmp or IpProtocol.IcmpV6:
                required |= TupleParts.SourcePort | TupleParts.DestinationPort | TupleParts.IcmpCode;
                needs = "src, dst, type, code and id";
                break;
            case IpProtocol.Gre:
                required |= TupleParts.SourcePort | TupleParts.DestinationPort;
                needs = "src, dst, srckey and dstkey";
                break;
            case IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp:
                required |= TupleParts.SourcePort | TupleParts.DestinationPort;
                needs = "src, dst, sport and dport";
                break;
        }

        return (parts & required) == required || Fail(_line.Length, $"the {which} tuple is not whole: it needs {needs}");
    }
}
