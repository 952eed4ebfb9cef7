using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Text;

internal ref partial struct FlowRecord
{
    internal bool TryMakeEvent(ref FlowEvent e)
    {
        if (!TryCheckHead())
            return false;
        if (!TryType(out e.Type))
            return Fail($"field \"event\" has the value {ConntrackTextParser.Quote(_event)}");
        if (_protocol is not { } protocol)
            return Fail("field \"proto_num\" is missing");
        if (!FamilyNames.TryParse(_family, out FlowFamily family))
            return Fail(_family.IsEmpty
                ? "field \"family\" is missing"
                : $"field \"family\" has the value {ConntrackTextParser.Quote(_family)}");
        _flow.Original.Family = _flow.Reply.Family = family;
        _flow.Original.Protocol = _flow.Reply.Protocol = (IpProtocol)protocol;
        if (!TryOriginal() || !TryReply())
            return false;
        Counters();
        e.Flow = _flow;
        e.Time = _time;
        e.PortId = 0;
        return true;
    }

    internal bool TryMakeGap(out FlowGap? gap)
    {
        gap = null;
        if (!TryCheckHead())
            return false;
        foreach (FlowGapReason reason in Enum.GetValues<FlowGapReason>())
        {
            if (_reason.SequenceEqual(RecordNames.Of(reason)))
                gap = new FlowGap(reason, _from, _to != 0 ? _to : _time, (long?)_lost, (long?)_recovered);
        }

        return gap is not null
            || Fail(_reason.IsEmpty
                ? "field \"reason\" is missing"
                : $"field \"reason\" has the value {ConntrackTextParser.Quote(_reason)}");
    }

    private bool TryCheckHead()
    {
        if (_version != Version)
            return Fail("field \"v\" is not 1: no flow-log record of this version");
        return _time != 0 || Fail("field \"time\" is missing");
    }

    private readonly bool TryType(out FlowEventType type)
    {
        bool isStart = _event.SequenceEqual(RecordNames.Of(FlowChangeKind.Started));
        bool isEnd = _event.SequenceEqual(RecordNames.Of(FlowChangeKind.Ended));
        type = isStart ? FlowEventType.New : isEnd ? FlowEventType.Destroy : FlowEventType.Update;
        return isStart || isEnd || _event.SequenceEqual(RecordNames.Of(FlowChangeKind.Updated));
    }

    private bool TryOriginal()
    {
        ref FlowTuple tuple = ref _flow.Original;
        tuple.Zone = (ushort)(_zone ?? 0);
        _flow.Present |= FlowFields.Original;
        if (!TryAddress("src", _source, tuple.Family, out tuple.Source)
            || !TryAddress("dst", _destination, tuple.Family, out tuple.Destination))
            return false;
        if (!tuple.IsIcmp)
            return TryPorts(ref tuple, "sport", _sourcePort, "dport", _destinationPort);
        if (_icmpType is not { } type || _icmpCode is not { } code || _icmpId is not { } id)
            return Fail("field \"icmp_type\", \"icmp_code\" or \"icmp_id\" is missing");
        tuple.SourcePort = (ushort)id;
        tuple.DestinationPort = (ushort)(type << 8 | code);
        return true;
    }

    private bool TryReply()
    {
        if (_replySource.IsEmpty && _replyDestination.IsEmpty)
            return true;
        ref FlowTuple tuple = ref _flow.Reply;
        tuple.Zone = (ushort)(_replyZone ?? _zone ?? 0);
        _flow.Present |= FlowFields.Reply;
        if (!TryAddress("reply_src", _replySource, tuple.Family, out tuple.Source)
            || !TryAddress("reply_dst", _replyDestination, tuple.Family, out tuple.Destination))
        {
            return false;
        }

        if (!tuple.IsIcmp)
            return TryPorts(ref tuple, "reply_sport", _replySourcePort, "reply_dport", _replyDestinationPort);
        tuple.SourcePort = (ushort)(_replyIcmpId ?? _flow.Original.IcmpId);
        tuple.DestinationPort = (ushort)(IcmpCounterpart.Of(tuple.Protocol, _flow.Original.IcmpType) << 8 | _flow.Original.IcmpCode);
        return true;
    }

    private bool TryAddress(string name, ReadOnlySpan<byte> text, FlowFamily family, out IpAddress address)
    {
        if (AddressText.TryParse(text, family, out address))
            return true;
        return Fail(text.IsEmpty ? $"field \"{name}\" is missing" : $"field \"{name}\" has the value {ConntrackTextParser.Quote(text)}");
    }

    private bool TryPorts(ref FlowTuple tuple, string sourceName, ulong? source, string destinationName, ulong? destination)
    {
        bool required = tuple.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp or IpProtocol.Gre;
        if (required && (source is null || destination is null))
            return Fail($"field \"{(source is null ? sourceName : destinationName)}\" is missing");
        tuple.SourcePort = (ushort)(source ?? 0);
        tuple.DestinationPort = (ushort)(destination ?? 0);
        return true;
    }

    /// <summary>tx is the original direction, but for ingress.</summary>
    private void Counters()
    {
        if (_sentPackets is { } sentPackets && _sentBytes is { } sentBytes)
        {
            (_isIngress ? ref _flow.ReplyPackets : ref _flow.OriginalPackets) = sentPackets;
            (_isIngress ? ref _flow.ReplyBytes : ref _flow.OriginalBytes) = sentBytes;
            _flow.Present |= _isIngress ? FlowFields.ReplyCounters : FlowFields.OriginalCounters;
        }

        if (_receivedPackets is { } receivedPackets && _receivedBytes is { } receivedBytes)
        {
            (_isIngress ? ref _flow.OriginalPackets : ref _flow.ReplyPackets) = receivedPackets;
            (_isIngress ? ref _flow.OriginalBytes : ref _flow.ReplyBytes) = receivedBytes;
            _flow.Present |= _isIngress ? FlowFields.OriginalCounters : FlowFields.ReplyCounters;
        }
    }
}
