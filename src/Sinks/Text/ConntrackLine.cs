using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>The reading of one conntrack line, from left to right; the first problem ends it.</summary>
internal ref partial struct ConntrackLine(ReadOnlySpan<byte> line, ref FlowEvent e, Func<FlowExtras> extras, ConntrackTextOptions options)
{
    private readonly ReadOnlySpan<byte> _line = line;
    private readonly ref FlowEvent _event = ref e;
    private int _at; // the next byte to read
    private int _wordAt; // where the last word began
    private TupleParts _originalParts, _replyParts;
    private FlowFamily _family;
    private bool _inReply, _unreplied;
    private ulong? _age; // delta-time, seconds

    internal string? Problem { get; private set; }

    internal bool TryRead()
    {
        _event.Flow = default;
        _event.PortId = 0;
        return TryTimestamp() && TryType() && TryFamily() && TryProtocol() && TryTimeoutAndState() && TryFields() && TryFinish();
    }

    /// <summary><c>[seconds.microseconds]</c>; older versions pad either with blanks to the right instead of zeros to the left.</summary>
    private bool TryTimestamp()
    {
        SkipBlanks();
        if (_at + 1 >= _line.Length || _line[_at] != '[' || !char.IsAsciiDigit((char)_line[_at + 1]))
            return true;
        int start = _at;
        ReadOnlySpan<byte> rest = _line[(_at + 1)..];
        int dot = rest.IndexOf((byte)'.');
        int end = rest.IndexOf((byte)']');
        if (dot < 0 || end < dot
            || !NumberText.TryParse(rest[..dot].TrimEnd((byte)' '), 9_000_000_000, out ulong seconds)
            || !NumberText.TryParse(rest[(dot + 1)..end].TrimEnd((byte)' '), 999_999, out ulong microseconds))
        {
            return Fail(start, "expected a time, [seconds.microseconds]");
        }

        _event.Time = ((long)seconds * 1_000_000_000) + ((long)microseconds * 1_000);
        _at += end + 2;
        return true;
    }

    private bool TryType()
    {
        SkipBlanks();
        _event.Type = FlowEventType.Row;
        if (_at >= _line.Length || _line[_at] != '[')
            return true;
        ReadOnlySpan<byte> tag = Word();
        if (tag.SequenceEqual("[NEW]"u8))
            _event.Type = FlowEventType.New;
        else if (tag.SequenceEqual("[UPDATE]"u8))
            _event.Type = FlowEventType.Update;
        else if (tag.SequenceEqual("[DESTROY]"u8))
            _event.Type = FlowEventType.Destroy;
        else
            return Fail(_wordAt, $"expected [NEW], [UPDATE] or [DESTROY], found {ConntrackTextParser.Quote(tag)}");
        return true;
    }

    private bool TryFamily()
    {
        int start = _at;
        if (!FamilyNames.TryParse(Word(), out _family))
        {
            _at = start; // no such column
            return true;
        }

        return (NumberText.TryParse(Word(), byte.MaxValue, out ulong number) && number == (ulong)_family)
            || Fail(_wordAt, $"expected the family's number, {(byte)_family}");
    }

    private bool TryProtocol()
    {
        ReadOnlySpan<byte> name = Word();
        int nameAt = _wordAt;
        if (!NumberText.TryParse(Word(), byte.MaxValue, out ulong number))
            return Fail(nameAt, $"expected a protocol's name and number, found {ConntrackTextParser.Quote(_line[nameAt..])}");
        IpProtocol protocol = (IpProtocol)number;
        if (!name.SequenceEqual(ConntrackNames.Protocol(protocol)) && !name.SequenceEqual("unknown"u8))
            return Fail(nameAt, $"protocol {number} is not called {ConntrackTextParser.Quote(name)}");
        _event.Flow.Original.Protocol = protocol;
        _event.Flow.Reply.Protocol = protocol;
        return true;
    }

    private bool TryTimeoutAndState()
    {
        int start = _at;
        ReadOnlySpan<byte> word = Word();
        if (!word.IsEmpty && char.IsAsciiDigit((char)word[0]))
        {
            if (!NumberText.TryParse(word, uint.MaxValue, out ulong timeout))
                return Fail(_wordAt, $"expected the timeout in seconds, found {ConntrackTextParser.Quote(word)}");
            _event.Flow.Timeout = (uint)timeout;
            _event.Flow.Present |= FlowFields.Timeout;
            start = _at;
            word = Word();
        }

        if (word.IsEmpty || word[0] == '[' || word.Contains((byte)'='))
        {
            _at = start; // no state
            return true;
        }

        if (!StateNames.TryParse(_event.Flow.Original.Protocol, word, out _event.Flow.ProtocolState))
            return Fail(_wordAt, $"unknown state {ConntrackTextParser.Quote(word)}");
        _event.Flow.Present |= FlowFields.ProtocolState;
        return true;
    }

    private bool TryFinish()
    {
        if (!TryComplete(_originalParts, "original") || !TryComplete(_replyParts, "reply"))
            return false;
        ref Flow flow = ref _event.Flow;
        flow.Original.Family = flow.Reply.Family = _family;
        flow.Present |= FlowFields.BothTuples | FlowFields.Status;
        if (!_unreplied)
            flow.Status |= FlowStatus.SeenReply;
        if (flow.Has(FlowFields.StartTime))
            flow.Present |= FlowFields.RoundedStart;
        else if (_age is { } age)
            StartBy(age);
        return true;
    }

    /// <summary>
    /// The age of an entry that has ended is that at its expiry, which is not told and may lie a minute before the DESTROY: the kernel
    /// removes what has expired when it comes by. Only an entry that was deleted, with time left, ended when the line says.
    /// </summary>
    private readonly void StartBy(ulong age)
    {
        ref Flow flow = ref _event.Flow;
        long until = (flow.StopTime != 0 ? flow.StopTime : _event.Time) / NanosecondsPerSecond;
        if (age > (ulong)until) // older than the epoch: the time is unknown, or a clock was set
            return;
        flow.StartTime = (until - (long)age) * NanosecondsPerSecond;
        flow.Present |= FlowFields.StartTime | FlowFields.RoundedStart;
        if (_event.Type == FlowEventType.Destroy && flow.StopTime == 0 && flow.Timeout == 0)
            flow.Present |= FlowFields.LatestStart;
    }

    private void SkipBlanks()
    {
        while (_at < _line.Length && _line[_at] is (byte)' ' or (byte)'\t')
            _at++;
    }

    /// <summary>The next run of bytes up to a blank, empty at the end.</summary>
    private ReadOnlySpan<byte> Word()
    {
        SkipBlanks();
        _wordAt = _at;
        int length = _line[_at..].IndexOfAny((byte)' ', (byte)'\t');
        _at = length < 0 ? _line.Length : _at + length;
        return _line[_wordAt.._at];
    }

    private bool Fail(int at, string problem)
    {
        Problem = $"column {at + 1}: {problem}";
        return false;
    }
}
