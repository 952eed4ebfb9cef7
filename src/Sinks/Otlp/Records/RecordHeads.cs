using System.Text;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Otlp.Wire;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Otlp.Records;

/// <summary>
/// What every record of a kind has: severity, name of the event, and <c>conntrack.event</c> for what knows no such names.
/// </summary>
internal static class RecordHeads
{
    private const int SeverityNumber = 2, SeverityText = 3, EventName = 12; // LogRecord
    private const ulong Info = 9, Warn = 13; // SEVERITY_NUMBER_INFO, SEVERITY_NUMBER_WARN

    private static readonly byte[][] Heads = [.. Enum.GetValues<FlowChangeKind>().Order().Select(Make)];

    internal static byte[] Of(FlowChangeKind kind) => Heads[(int)kind];

    private static byte[] Make(FlowChangeKind kind)
    {
        bool isWarning = kind is FlowChangeKind.Gap or FlowChangeKind.Refused;
        string name = Encoding.ASCII.GetString(RecordNames.Of(kind));
        return
        [
            .. ProtoMessage.Number(SeverityNumber, isWarning ? Warn : Info),
            .. ProtoMessage.Text(SeverityText, isWarning ? "WARN" : "INFO"),
            .. ProtoMessage.Text(EventName, isWarning ? $"conntrack.{name}" : $"conntrack.flow.{name}"),
            .. AttributeBytes.Text(KnownAttributes.Field, "conntrack.event", name),
        ];
    }
}
