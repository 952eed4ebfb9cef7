using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;
using ConntrackStream.Sinks.Reclassify.Sets.Table;
using static ConntrackStream.Sinks.Reclassify.Sets.Ipsets.Ipset;

namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>An ipset, mirrored by listing: ipset tells no changes.</summary>
internal sealed class IpsetSource : SetSource
{
    private readonly Func<string, IpsetSource> _memberOf;
    private readonly byte[] _request = new byte[IpsetMessages.MaxLength]; // the reader's
    private readonly byte[] _test = new byte[IpsetMessages.MaxLength]; // the asker's
    private readonly SetAnswerReader _readMessage;
    private readonly SetAnswerReader _readHeader;

    // Of the reading under way
    private IpsetHeader? _header;
    private IpsetMembers? _members;
    private IpsetListBuilder? _list;
    private bool _malformed;
    private uint? _elements; // as the kernel counted at the last complete reading
    private uint? _elementsNow;

    internal IpsetSource(string name, Mirror mirror, Func<string, IpsetSource> memberOf)
        : base(SetName.Ipset(name), mirror)
    {
        _memberOf = memberOf;
        _readMessage = ReadMessage;
        _readHeader = ReadHeader;
    }

    internal override bool IsNotified => false;

    internal override Errno Test(SetLink link, in FlowQuestion question, SetDirections directions, ref TimeSpan? left)
    {
        SetContent? content;
        lock (Mirror.Gate)
            content = Content;
        return content switch
        {
            IpsetList list => list.Test(link, question, directions),
            IpsetMembers members => TestMember(link, members.Key, question, directions),
            _ => Errno.ENOENT,
        };
    }

    /// <summary>As <see cref="Test"/>; ENOENT where the set is a list.</summary>
    internal Errno TestMembers(SetLink link, in FlowQuestion question, SetDirections directions)
    {
        SetContent? content;
        lock (Mirror.Gate)
            content = Content;
        return content is IpsetMembers members ? TestMember(link, members.Key, question, directions) : Errno.ENOENT;
    }

    /// <summary>Compares the count in the set's header.</summary>
    protected override bool HasChangedCore(SetLink link)
    {
        _elementsNow = null;
        uint sequence = link.NextSequence();
        Errno errno = link.Exchange(IpsetMessages.List(_request, sequence, Name.Name, headerOnly: true), sequence, _readHeader, out _);
        return errno != Errno.None || _elementsNow != _elements;
    }

    protected override void ReadCore(SetLink link)
    {
        (_header, _members, _list, _malformed, _elementsNow) = (null, null, null, false, null);
        uint sequence = link.NextSequence();
        Errno errno = link.Exchange(IpsetMessages.List(_request, sequence, Name.Name), sequence, _readMessage, out bool interrupted);
        if (errno == Errno.ENOENT)
            Missing();
        else if (errno != Errno.None)
            Failed(IpsetAdvice.Describe($"listing {Reason}", errno));
        else if (_malformed || _header is null)
            Failed($"listing {Reason}: the kernel's answer cannot be read");
        else if (interrupted)
            Failed($"listing {Reason}: the set changed meanwhile (NLM_F_DUMP_INTR)");
        else
            Complete(_header);
    }

    private void Complete(IpsetHeader header)
    {
        _elements = _elementsNow;
        if (_list is { } list)
        {
            Ready(list.Build(Content as IpsetList, Mirror.Gains));
            return;
        }

        if (_members is not { } members)
        {
            CannotMatch(header.Type, IpsetShape.WhyNot(header.Type));
            return;
        }

        int position = 0;
        bool more = true;
        while (more)
        {
            lock (Mirror.Gate)
                more = members.Sweep(ref position, Mirror.SweepSlice, Mirror.Gains);
        }

        Ready(members);
    }

    private void ReadMessage(in MessageHeader message, ReadOnlySpan<byte> bytes)
    {
        AttributeReader attributes = new(bytes[(Nlmsg.HeaderLength + Nfnl.HeaderLength)..]);
        if (IpsetHeader.Read(attributes, out uint? elements) is { } header)
        {
            if (_header is null)
                Begin(header, elements);
            else if (_header != header)
                _malformed = true; // another set of the name took its place meanwhile
        }

        while (attributes.Next())
        {
            if (attributes.Type == IPSET_ATTR_ADT)
                ReadMembers(attributes.Nested());
        }

        _malformed |= attributes.Malformed;
    }

    private void ReadHeader(in MessageHeader message, ReadOnlySpan<byte> bytes)
    {
        if (IpsetHeader.Read(new AttributeReader(bytes[(Nlmsg.HeaderLength + Nfnl.HeaderLength)..]), out uint? elements) is not null)
            _elementsNow = elements;
    }

    private void Begin(IpsetHeader header, uint? elements)
    {
        _header = header;
        _elementsNow = elements;
        if (header.Type == IpsetShape.List)
        {
            _list = new IpsetListBuilder(_memberOf, Mirror.Clock);
            return;
        }

        if (IpsetShape.Find(header.Type) is not { } shape)
            return;
        _members = Content is IpsetMembers same && same.Header == header ? same : new IpsetMembers(new IpsetKey(header, shape));
        lock (Mirror.Gate)
            _members.BeginRound();
    }

    private void ReadMembers(AttributeReader list)
    {
        uint now = Mirror.Clock.Now;
        bool more = true;
        while (more)
        {
            lock (Mirror.Gate)
            {
                for (int i = 0; more && i < Mirror.Slice; i++)
                    more = ReadMember(ref list, now);
            }
        }

        _malformed |= list.Malformed;
    }

    /// <returns>False at the end.</returns>
    private bool ReadMember(ref AttributeReader list, uint now)
    {
        if (!list.Next())
            return false;
        if (list.Type != IPSET_ATTR_DATA)
            return true;
        if (!IpsetElement.TryRead(list.Nested(), out IpsetElement element))
            _malformed = true;
        else if (_list is not null)
            _list.Add(element, now);
        else
            _members?.Put(element, now, Mirror.Gains);
        return true;
    }

    private Errno TestMember(SetLink link, IpsetKey key, in FlowQuestion question, SetDirections directions)
    {
        if (!directions.Cover(key.Shape.Dimensions) || !key.TryOf(question, directions, out SetKey flow))
            return Errno.ENOENT;
        uint sequence = link.NextSequence();
        Errno errno = link.Exchange(IpsetMessages.Test(_test, sequence, Name.Name, key, flow), sequence, null, out _);
        return (int)errno == IPSET_ERR_EXIST ? Errno.ENOENT : errno;
    }
}
