using System.Text;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

internal ref partial struct ConntrackLine
{
    /// <summary>
    /// Everything after the protocol column: flags in brackets and <c>name=value</c>. Names that other versions may add are skipped.
    /// </summary>
    private bool TryFields()
    {
        while (true)
        {
            SkipBlanks();
            if (_at == _line.Length)
                return true;
            ReadOnlySpan<byte> rest = _line[_at..];
            if (rest[0] == '[')
            {
                if (!TryFlag(rest))
                    return false;
                continue;
            }

            if (rest.StartsWith("labels="u8))
            {
                Labels();
                continue;
            }

            ReadOnlySpan<byte> word = Word();
            int equals = word.IndexOf((byte)'=');
            if (equals > 0)
            {
                if (!TryField(word[..equals], word[(equals + 1)..], _wordAt + equals + 1))
                    return false;
            }
            else if (!word.SequenceEqual("labels"u8)) // printed when none of the set bits has a name
            {
                return Fail(_wordAt, $"expected name=value, found {ConntrackTextParser.Quote(word)}");
            }
        }
    }

    /// <summary><c>[UNREPLIED]</c> and the like; the calendar times of ktimestamp hold blanks.</summary>
    private bool TryFlag(ReadOnlySpan<byte> rest)
    {
        int start = _at;
        int end = rest.IndexOf((byte)']');
        if (end < 0)
            return Fail(start, "a bracket is not closed");
        ReadOnlySpan<byte> flag = rest[1..end];
        _at += end + 1;
        if (flag.StartsWith("start="u8) || flag.StartsWith("stop="u8))
            return TryCalendarTime(flag, start + 1);
        _unreplied |= flag.SequenceEqual(StatusNames.Unreplied);
        foreach (FlowStatus shown in (ReadOnlySpan<FlowStatus>)[FlowStatus.Assured, FlowStatus.Offload, FlowStatus.HardwareOffload])
        {
            if (flag.SequenceEqual(shown.Utf8Name()))
                _event.Flow.Status |= shown;
        }

        return true;
    }

    private bool TryField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int at)
    {
        if (value.IsEmpty)
            return Fail(at, $"{ConntrackTextParser.Quote(name)} has no value");
        return TryTupleField(name, value, at, out bool ofTuple) && (ofTuple || TryFlowField(name, value, at));
    }

    private bool TryFlowField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int at)
    {
        ref Flow flow = ref _event.Flow;
        if (name.SequenceEqual("packets"u8) || name.SequenceEqual("bytes"u8))
            return TryCounter(isBytes: name[0] == 'b', value, at);
        if (name.SequenceEqual("mark"u8))
            return TryUInt32(value, at, ref flow.Mark, FlowFields.Mark);
        if (name.SequenceEqual("use"u8))
            return TryUInt32(value, at, ref flow.Use, FlowFields.Use);
        if (name.SequenceEqual("id"u8))
            return TryUInt32(value, at, ref flow.Id, FlowFields.Id);
        if (name.SequenceEqual("portid"u8))
            return TryUInt32(value, at, ref _event.PortId, FlowFields.None);
        if (name.SequenceEqual("delta-time"u8))
            return TryAge(value, at);
        if (name.SequenceEqual("helper"u8))
            Extras().Helper = Encoding.UTF8.GetString(value);
        else if (name.SequenceEqual("secctx"u8))
            Extras().SecurityContext = Encoding.UTF8.GetString(value);
        else if (name.SequenceEqual("progname"u8))
            _at = _line.Length; // the line's last field; it may hold blanks
        return true;
    }

    private bool TryCounter(bool isBytes, ReadOnlySpan<byte> value, int at)
    {
        if (!NumberText.TryParse(value, ulong.MaxValue, out ulong count))
            return Fail(at, $"expected a count, found {ConntrackTextParser.Quote(value)}");
        ref Flow flow = ref _event.Flow;
        if (isBytes)
            (_inReply ? ref flow.ReplyBytes : ref flow.OriginalBytes) = count;
        else
            (_inReply ? ref flow.ReplyPackets : ref flow.OriginalPackets) = count;
        if (isBytes)
            flow.Present |= _inReply ? FlowFields.ReplyCounters : FlowFields.OriginalCounters;
        return true;
    }

    private bool TryAge(ReadOnlySpan<byte> value, int at)
    {
        if (!NumberText.TryParse(value, ulong.MaxValue, out ulong age))
            return Fail(at, $"expected a number of seconds, found {ConntrackTextParser.Quote(value)}");
        _age = age;
        return true;
    }

    /// <summary>
    /// Names may hold blanks: they run up to the end of the line or to what caused the event. One unknown name makes the set unknown.
    /// </summary>
    private void Labels()
    {
        _at += "labels="u8.Length;
        int end = _line[_at..].IndexOf(" [USERSPACE]"u8);
        end = end < 0 ? _line.Length : _at + end;
        string names = Encoding.UTF8.GetString(_line[_at..end]);
        _at = end;
        UInt128 labels = 0;
        foreach (string name in names.Split(',', StringSplitOptions.TrimEntries))
        {
            if (options.Labels is null || !options.Labels.TryGetBit(name, out int bit))
                return;
            labels |= UInt128.One << bit;
        }

        Extras().Labels = labels;
        Extras().HasLabels = true;
    }

    private bool TryUInt32(ReadOnlySpan<byte> value, int at, ref uint field, FlowFields present)
    {
        if (!NumberText.TryParse(value, uint.MaxValue, out ulong number))
            return Fail(at, $"expected a number up to {uint.MaxValue}, found {ConntrackTextParser.Quote(value)}");
        field = (uint)number;
        _event.Flow.Present |= present;
        return true;
    }

    private FlowExtras Extras() => _event.Flow.Extras ??= extras();
}
