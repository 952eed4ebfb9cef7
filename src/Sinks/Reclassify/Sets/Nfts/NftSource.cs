using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>
/// An nftables set or map, mirrored by its notifications; read whole at first, after losses, and where they do not tell enough.
/// </summary>
internal sealed class NftSource : SetSource
{
    private const int Attempts = 3;

    private readonly byte[] _table;
    private readonly byte[] _set;
    private readonly byte _family;
    private readonly byte[] _request = new byte[NftMessages.MaxLength]; // the reader's
    private readonly byte[] _test = new byte[NftMessages.MaxLength]; // the asker's
    private readonly SetAnswerReader _readSet;
    private readonly SetAnswerReader _readElements;
    private readonly SetAnswerReader _readAnswer;

    private NftHeader? _header; // of the reading under way
    private NftReading? _reading;
    private bool _isPartial; // the last one was disturbed
    private TimeSpan? _answered; // the asker's

    internal NftSource(SetName name, Mirror mirror)
        : base(name, mirror)
    {
        _table = Encoding.UTF8.GetBytes(name.Table);
        _set = Encoding.UTF8.GetBytes(name.Name);
        _family = NftMessages.FamilyNumber(name.Family);
        _readSet = (in MessageHeader _, ReadOnlySpan<byte> message) => _header = NftHeader.Read(Attributes(message));
        _readElements = (in MessageHeader _, ReadOnlySpan<byte> message) => _reading!.Take(Attributes(message));
        _readAnswer = ReadAnswer;
    }

    /// <summary>A set that may change silently, or whose reading failed, is read at the interval.</summary>
    internal override bool IsNotified => State is SetState.Waiting or SetState.CannotMatch
        || (State == SetState.Ready && !_isPartial && Content is NftContent { Header.ChangesSilently: false });

    /// <summary>Looks at a message of the notification group.</summary>
    /// <returns>Whether the set must be read again.</returns>
    internal bool Notify(in MessageHeader message, ReadOnlySpan<byte> bytes)
    {
        byte type = (byte)message.Type;
        if (bytes[Nlmsg.HeaderLength] != _family || !IsMine(Attributes(bytes), type))
            return false;
        if (type is not (NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM) || Content is not NftPoints points)
            return true;
        return !TryApply(points, Attributes(bytes), type == NFT_MSG_NEWSETELEM);
    }

    internal override Errno Test(SetLink link, in FlowQuestion question, SetDirections directions, ref TimeSpan? left)
    {
        SetContent? content;
        lock (Mirror.Gate)
            content = Content;
        Span<UInt128> values = stackalloc UInt128[NftKey.MaxFields];
        if (content is not NftContent own || !directions.Cover(own.Dimensions) || !own.Key.TryOf(question, directions, values))
            return Errno.ENOENT;
        _answered = null;
        uint sequence = link.NextSequence();
        Errno errno = link.Exchange(NftMessages.Get(_test, sequence, Name, own.Key, values), sequence, _readAnswer, out _);
        if (errno == Errno.ENOENT && own.HasCatchAll)
        {
            sequence = link.NextSequence();
            errno = link.Exchange(NftMessages.Get(_test, sequence, Name, null, default), sequence, _readAnswer, out _);
        }

        if (errno == Errno.None)
            left = _answered;
        return errno;
    }

    protected override void ReadCore(SetLink link)
    {
        for (int attempt = 1; !TryRead(link, isLast: attempt == Attempts); attempt++)
        {
        }
    }

    private static AttributeReader Attributes(ReadOnlySpan<byte> message) => new(message[(Nlmsg.HeaderLength + Nfnl.HeaderLength)..]);

    /// <returns>False when a change of the ruleset disturbed it.</returns>
    private bool TryRead(SetLink link, bool isLast)
    {
        _header = null;
        uint sequence = link.NextSequence();
        Errno errno = link.Exchange(NftMessages.GetSet(_request, sequence, Name), sequence, _readSet, out _);
        if (errno != Errno.None || _header is not { } header)
        {
            Refused(errno);
            return true;
        }

        FlowFamily family = _family switch
        {
            NFPROTO_IPV4 => FlowFamily.IPv4,
            NFPROTO_IPV6 => FlowFamily.IPv6,
            _ => FlowFamily.Unspecified,
        };
        if (NftKey.Create(header.KeyType, header.KeyLength, family, header.IsInterval, out string? problem) is not { } key)
        {
            CannotMatch("nftables set", problem!);
            return true;
        }

        NftReading reading = new(header, key, Content as NftContent, Mirror);
        _reading = reading;
        sequence = link.NextSequence();
        errno = link.Exchange(NftMessages.Dump(_request, sequence, Name), sequence, _readElements, out bool interrupted);
        _reading = null;
        if (errno != Errno.None || reading.IsMalformed)
            Refused(errno);
        else if (!interrupted)
            Complete(reading);
        else if (!isLast)
            return false;
        else
            Disturbed(reading);
        return true;
    }

    private void Refused(Errno errno)
    {
        if (errno == Errno.ENOENT)
            Missing();
        else if (errno == Errno.None)
            Failed($"listing {Reason}: the kernel's answer cannot be read");
        else
            Failed(new NetlinkException($"listing {Reason}", errno, errno switch
            {
                Errno.EPERM => "this needs CAP_NET_ADMIN",
                Errno.EINVAL or Errno.EOPNOTSUPP => "this kernel has no nf_tables; load the module",
                _ => null,
            }).Message);
    }

    private void Complete(NftReading reading)
    {
        _isPartial = false;
        Ready(reading.Complete());
    }

    /// <summary>
    /// A set of single keys keeps what was read of it, since notifications tell the rest; members gone meanwhile go with the next reading.
    /// </summary>
    private void Disturbed(NftReading reading)
    {
        _isPartial = true;
        if (reading.Points is { } points)
            Ready(points);
        else
            Failed($"listing {Reason}: the ruleset changed meanwhile (NLM_F_DUMP_INTR)");
    }

    /// <summary>Puts or removes the members that a notification names.</summary>
    /// <returns>False when it is malformed.</returns>
    private bool TryApply(NftPoints points, AttributeReader message, bool added)
    {
        NftElements elements = new(message);
        uint now = Mirror.Clock.Now;
        bool good = true;
        while (elements.Next())
        {
            lock (Mirror.Gate)
                good &= TryApply(points, elements.Current, added, now);
        }

        return good && !elements.Malformed;
    }

    private bool TryApply(NftPoints points, in NftElement element, bool added, uint now)
    {
        if (element.IsCatchAll)
            points.SetCatchAll(added ? element.DeadlineFrom(now) : null, now, null, Mirror.Gains);
        else if (added)
            return points.Put(element, now, Mirror.Gains);
        else
            points.Remove(element);
        return true;
    }

    /// <summary>A message about the set, its table, or its elements; all of them begin with the same attributes.</summary>
    private bool IsMine(AttributeReader attributes, byte type)
    {
        bool isTable = type is NFT_MSG_NEWTABLE or NFT_MSG_DELTABLE;
        bool table = false, set = isTable;
        while (attributes.Next())
        {
            if (attributes.Type == NFTA_SET_TABLE) // NFTA_TABLE_NAME
                table = attributes.Value.TrimEnd((byte)0).SequenceEqual(_table);
            else if (attributes.Type == NFTA_SET_NAME && !isTable)
                set = attributes.Value.TrimEnd((byte)0).SequenceEqual(_set);
        }

        return table && set;
    }

    private void ReadAnswer(in MessageHeader message, ReadOnlySpan<byte> bytes)
    {
        NftElements elements = new(Attributes(bytes));
        if (elements.Next())
            _answered = elements.Current.Left;
    }
}
