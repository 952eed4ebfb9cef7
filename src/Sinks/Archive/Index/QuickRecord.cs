using System.Buffers;
using System.Buffers.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>
/// Reads what an index needs of a record of the format json that looks exactly as this service writes them: a known set of fields in their
/// order, each with a plain value. That takes a fifth of the time of <see cref="ArchiveRecord"/>, which has to read whatever else there is.
/// What is accepted here is accepted there, with the same values.
/// </summary>
internal ref struct QuickRecord
{
    private const int TimeLength = 27; // 2026-02-03T04:05:06.789012Z
    private const int MostDigits = 19; // of a number that 64 bits hold whatever its digits are

    private enum Field : byte
    {
        Version, Time, Host, Netns, Event, FlowId, Family, Protocol, Source, SourcePort, Destination, DestinationPort, ReplySource,
        ReplySourcePort, ReplyDestination, ReplyDestinationPort, IcmpType, IcmpCode, IcmpId, ReplyIcmpId, TcpState, Start, End,
        Zone, ReplyZone, UInt32, UInt64, Text, Names,
    }

    private static readonly (byte[] Name, Field Field)[] Fields =
    [
        .. new (string Names, Field Field)[]
        {
            ("v", Field.Version), ("time", Field.Time), ("host", Field.Host), ("netns", Field.Netns), ("event", Field.Event),
            ("flow_id", Field.FlowId), ("ct_id", Field.UInt32), ("zone", Field.Zone), ("reply_zone", Field.ReplyZone),
            ("family", Field.Family), ("proto", Field.Text), ("proto_num", Field.Protocol), ("src", Field.Source),
            ("sport", Field.SourcePort), ("dst", Field.Destination), ("dport", Field.DestinationPort), ("reply_src", Field.ReplySource),
            ("reply_sport", Field.ReplySourcePort), ("reply_dst", Field.ReplyDestination), ("reply_dport", Field.ReplyDestinationPort),
            ("nat", Field.Text), ("icmp_type", Field.IcmpType), ("icmp_code", Field.IcmpCode), ("icmp_id", Field.IcmpId),
            ("reply_icmp_id", Field.ReplyIcmpId), ("direction", Field.Text), ("mark", Field.UInt32), ("status", Field.Names),
            ("tcp_state", Field.TcpState), ("start", Field.Start), ("end", Field.End), ("duration_ms", Field.UInt64),
            ("tx_packets", Field.UInt64), ("tx_bytes", Field.UInt64), ("rx_packets", Field.UInt64), ("rx_bytes", Field.UInt64),
            ("origin", Field.Text), ("caused_by", Field.Text), ("community_id", Field.Text), ("reply_community_id", Field.Text),
            ("run", Field.Text), ("seq", Field.UInt64), ("seq_to", Field.UInt64),
        }.Select(static field => (System.Text.Encoding.ASCII.GetBytes(field.Names), field.Field)),
    ];

    private static readonly SearchValues<byte> Plain = // without the quotation mark and the backslash
        SearchValues.Create([.. Enumerable.Range(0x20, 0x5F).Select(static c => (byte)c).Where(static c => c is not (0x22 or 0x5C))]);

    private ReadOnlySpan<byte> _event, _family, _source, _destination, _replySource, _replyDestination, _host, _netns;
    private uint _seen; // bits of Field, of those that may be needed
    private ulong _protocol, _sourcePort, _destinationPort, _replySourcePort, _replyDestinationPort;
    private ulong _icmpType, _icmpCode, _icmpId, _replyIcmpId, _zone, _replyZone;
    private long _time, _start, _end;
    private Guid _id;

    /// <returns>False: it may be a record all the same.</returns>
    internal static bool TryRead(ReadOnlySpan<byte> line, ref FlowEvent e, ref ArchiveLine fields)
    {
        QuickRecord record = default;
        if (!record.TryFields(line) || !record.TryEvent(ref e))
            return false;
        fields.Host = record._host;
        fields.NetworkNamespace = record._netns;
        fields.Event = record._event;
        fields.FlowId = record._id;
        return true;
    }

    private bool TryFields(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty || line[0] != '{')
            return false;
        line = line[1..];
        for (int next = 0; ; line = line[1..])
        {
            if (line.Length < 3 || line[0] != '"')
                return false;
            int length = line[1..].IndexOf((byte)'"');
            if (length < 0 || !TryFind(line.Slice(1, length), ref next) || line.Length < length + 4 || line[length + 2] != ':')
                return false;
            line = line[(length + 3)..];
            if (!TryValue(ref line, Fields[next++].Field) || line.IsEmpty)
                return false;
            if (line[0] == '}')
                return line.Length == 1;
            if (line[0] != ',')
                return false;
        }
    }

    /// <summary>Names come in their order, each once.</summary>
    private static bool TryFind(ReadOnlySpan<byte> name, ref int next)
    {
        for (; next < Fields.Length; next++)
        {
            if (name.SequenceEqual(Fields[next].Name))
                return true;
        }

        return false;
    }

    private bool TryValue(ref ReadOnlySpan<byte> line, Field field)
    {
        _seen |= (int)field < 32 ? 1U << (int)field : 0;
        if (field == Field.Names)
            return TryNames(ref line);
        if (line[0] != '"')
            return TryDigits(ref line, out ulong number) && TryNumber(field, number);
        int length = line[1..].IndexOf((byte)'"');
        if (length < 0)
            return false;
        ReadOnlySpan<byte> text = line.Slice(1, length);
        line = line[(length + 2)..];
        return !text.ContainsAnyExcept(Plain) && TryText(field, text);
    }

    private static bool TryDigits(ref ReadOnlySpan<byte> line, out ulong number)
    {
        number = 0;
        int digits = 0;
        for (; digits < line.Length && char.IsAsciiDigit((char)line[digits]); digits++)
            number = (number * 10) + (uint)(line[digits] - '0');
        bool isNumber = digits is > 0 and <= MostDigits && (digits == 1 || line[0] != '0');
        line = line[digits..];
        return isNumber;
    }

    /// <summary>An array of texts.</summary>
    private static bool TryNames(ref ReadOnlySpan<byte> line)
    {
        if (line[0] != '[')
            return false;
        line = line[1..];
        if (line.Length > 0 && line[0] == ']')
        {
            line = line[1..];
            return true;
        }

        while (line.Length > 2 && line[0] == '"')
        {
            int length = line[1..].IndexOf((byte)'"');
            if (length < 0 || line.Slice(1, length).ContainsAnyExcept(Plain) || line.Length < length + 3)
                return false;
            byte after = line[length + 2];
            line = line[(length + 3)..];
            if (after == ']')
                return true;
            if (after != ',')
                return false;
        }

        return false;
    }

    private bool TryNumber(Field field, ulong number)
    {
        switch (field)
        {
            case Field.Version:
                return number == 1;
            case Field.Protocol:
                _protocol = number;
                return number <= byte.MaxValue;
            case Field.SourcePort:
                _sourcePort = number;
                break;
            case Field.DestinationPort:
                _destinationPort = number;
                break;
            case Field.ReplySourcePort:
                _replySourcePort = number;
                break;
            case Field.ReplyDestinationPort:
                _replyDestinationPort = number;
                break;
            case Field.IcmpType:
                _icmpType = number;
                return number <= byte.MaxValue;
            case Field.IcmpCode:
                _icmpCode = number;
                return number <= byte.MaxValue;
            case Field.IcmpId:
                _icmpId = number;
                break;
            case Field.ReplyIcmpId:
                _replyIcmpId = number;
                break;
            case Field.Zone:
                _zone = number;
                break;
            case Field.ReplyZone:
                _replyZone = number;
                break;
            case Field.UInt32:
                return number <= uint.MaxValue;
            case Field.UInt64:
                return true;
            default:
                return false;
        }

        return number <= ushort.MaxValue;
    }

    private bool TryText(Field field, ReadOnlySpan<byte> text)
    {
        switch (field)
        {
            case Field.Time:
                return TryTime(text, out _time);
            case Field.Start:
                return TryTime(text, out _start);
            case Field.End:
                return TryTime(text, out _end);
            case Field.FlowId:
                return text.Length == 36 && Utf8Parser.TryParse(text, out _id, out int used, 'D') && used == text.Length;
            case Field.TcpState:
                return StateNames.TryParse(IpProtocol.Tcp, text, out _);
            case Field.Host:
                _host = text;
                return true;
            case Field.Netns:
                _netns = text;
                return true;
            case Field.Event:
                _event = text;
                return true;
            case Field.Family:
                _family = text;
                return true;
            case Field.Source:
                _source = text;
                return true;
            case Field.Destination:
                _destination = text;
                return true;
            case Field.ReplySource:
                _replySource = text;
                return true;
            case Field.ReplyDestination:
                _replyDestination = text;
                return true;
            default:
                return field == Field.Text;
        }
    }

    private static bool TryTime(ReadOnlySpan<byte> text, out long time)
    {
        time = 0;
        if (text.Length != TimeLength || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':'
            || text[19] != '.' || text[26] != 'Z'
            || !TryDigits(text, 0, 4, out int year) || !TryDigits(text, 5, 2, out int month) || !TryDigits(text, 8, 2, out int day)
            || !TryDigits(text, 11, 2, out int hour) || !TryDigits(text, 14, 2, out int minute) || !TryDigits(text, 17, 2, out int second)
            || !TryDigits(text, 20, 6, out int microsecond)
            || year is < 1971 or > 2261 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23
            || minute > 59 || second > 59)
        {
            return false;
        }

        long ticks = new DateTime(year, month, day, hour, minute, second).Ticks - DateTime.UnixEpoch.Ticks;
        time = (ticks * TimeSpan.NanosecondsPerTick) + (microsecond * 1000L);
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, int at, int count, out int number)
    {
        number = 0;
        foreach (byte digit in text.Slice(at, count))
        {
            if (!char.IsAsciiDigit((char)digit))
                return false;
            number = (number * 10) + digit - '0';
        }

        return true;
    }

    private readonly bool Has(Field field) => (_seen >> (int)field & 1) != 0;

    private readonly bool TryEvent(ref FlowEvent e)
    {
        const uint Needed = 1U << (int)Field.Version | 1U << (int)Field.Time | 1U << (int)Field.FlowId | 1U << (int)Field.Protocol;
        if ((_seen & Needed) != Needed || !FamilyNames.TryParse(_family, out FlowFamily family) || !TryType(out e.Type))
            return false;
        ref Flow flow = ref e.Flow;
        flow.Original.Family = flow.Reply.Family = family;
        flow.Original.Protocol = flow.Reply.Protocol = (IpProtocol)_protocol;
        flow.Original.Zone = (ushort)_zone;
        flow.Present = FlowFields.Original;
        flow.Present |= Has(Field.Start) ? FlowFields.StartTime : FlowFields.None;
        flow.Present |= Has(Field.End) ? FlowFields.StopTime : FlowFields.None;
        (flow.StartTime, flow.StopTime, e.Time) = (_start, _end, _time);
        if (!TryEnds(ref flow.Original, _source, _destination) || !TryPorts(ref flow.Original, isReply: false))
            return false;
        if (_replySource.IsEmpty && _replyDestination.IsEmpty)
            return true;
        flow.Present |= FlowFields.Reply;
        flow.Reply.Zone = (ushort)(Has(Field.ReplyZone) ? _replyZone : _zone);
        return TryEnds(ref flow.Reply, _replySource, _replyDestination) && TryPorts(ref flow.Reply, isReply: true);
    }

    private readonly bool TryType(out FlowEventType type)
    {
        type = _event.SequenceEqual("start"u8) ? FlowEventType.New
            : _event.SequenceEqual("end"u8) ? FlowEventType.Destroy : FlowEventType.Update;
        return type != FlowEventType.Update || _event.SequenceEqual("update"u8);
    }

    private static bool TryEnds(ref FlowTuple tuple, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination) =>
        AddressText.TryParse(source, tuple.Family, out tuple.Source)
        && AddressText.TryParse(destination, tuple.Family, out tuple.Destination);

    private readonly bool TryPorts(ref FlowTuple tuple, bool isReply)
    {
        if (tuple.IsIcmp)
        {
            tuple.SourcePort = (ushort)(isReply && Has(Field.ReplyIcmpId) ? _replyIcmpId : _icmpId);
            tuple.DestinationPort = (ushort)(
                (isReply ? IcmpCounterpart.Of(tuple.Protocol, (byte)_icmpType) : (byte)_icmpType) << 8 | (byte)_icmpCode);
            return Has(Field.IcmpType) && Has(Field.IcmpCode) && Has(Field.IcmpId);
        }

        tuple.SourcePort = (ushort)(isReply ? _replySourcePort : _sourcePort);
        tuple.DestinationPort = (ushort)(isReply ? _replyDestinationPort : _destinationPort);
        bool hasBoth = isReply
            ? Has(Field.ReplySourcePort) && Has(Field.ReplyDestinationPort)
            : Has(Field.SourcePort) && Has(Field.DestinationPort);
        return hasBoth || tuple.Protocol is not (
            IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp or IpProtocol.Gre);
    }
}
