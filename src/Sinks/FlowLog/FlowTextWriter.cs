using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Changes as the lines of <c>conntrack -E -o timestamp,id</c>: a start as NEW, an update as UPDATE, an end as DESTROY. A flow found by a
/// dump is NEW too, and one found gone by a dump or an audit DESTROY: the format cannot tell how we know. A gap is
/// <c># gap reason=overrun lost=12 from=… to=… recovered=3</c>, with lost=unknown where it is, and the fields that are unknown left out;
/// refused connections are <c># refused dropped=12 early_dropped=0 chain_too_long=0 from=… to=…</c>.
/// </summary>
public sealed class FlowTextWriter(ConntrackTextOptions options) : IRecordWriter
{
    private readonly TimestampText _fromText = new(), _toText = new();

    public int Write(Span<byte> destination, in FlowChange change)
    {
        if (change.Kind == FlowChangeKind.Gap)
            return Gap(destination, change.Gap);
        if (change.Kind == FlowChangeKind.Refused)
            return Refused(destination, change.Refused);
        FlowEvent line = new() { Flow = change.Flow, Time = change.Time, Type = TypeOf(change.Kind) };
        int length = ConntrackText.Write(destination, line, options);
        if (length == 0 || length == destination.Length)
            return 0;
        destination[length] = (byte)'\n';
        return length + 1;
    }

    private static FlowEventType TypeOf(FlowChangeKind kind) => kind switch
    {
        FlowChangeKind.Started => FlowEventType.New,
        FlowChangeKind.Ended => FlowEventType.Destroy,
        _ => FlowEventType.Update,
    };

    private int Gap(Span<byte> destination, FlowGap? gap)
    {
        Utf8Writer text = new(destination);
        text.Literal("# gap"u8);
        if (gap is not null)
            Fields(ref text, gap);
        text.Byte((byte)'\n');
        return text.Position;
    }

    private int Refused(Span<byte> destination, RefusedFlows? refused)
    {
        Utf8Writer text = new(destination);
        text.Literal("# refused"u8);
        if (refused is not null)
        {
            text.Literal(" dropped="u8);
            text.Number(refused.Dropped);
            text.Literal(" early_dropped="u8);
            text.Number(refused.Evicted);
            text.Literal(" chain_too_long="u8);
            text.Number(refused.ChainTooLong);
            text.Literal(" from="u8);
            _fromText.Write(ref text, refused.From);
            text.Literal(" to="u8);
            _toText.Write(ref text, refused.To);
        }

        text.Byte((byte)'\n');
        return text.Position;
    }

    private void Fields(ref Utf8Writer text, FlowGap gap)
    {
        text.Literal(" reason="u8);
        text.Literal(RecordNames.Of(gap.Reason));
        text.Literal(" lost="u8);
        if (gap.Lost is { } lost)
            text.Number(lost);
        else
            text.Literal("unknown"u8);
        if (gap.From != 0)
        {
            text.Literal(" from="u8);
            _fromText.Write(ref text, gap.From);
        }

        text.Literal(" to="u8);
        _toText.Write(ref text, gap.To);
        if (gap.Recovered is { } recovered)
        {
            text.Literal(" recovered="u8);
            text.Number(recovered);
        }
    }
}
