using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Turns a change into a line. Not thread-safe.</summary>
public interface IRecordWriter
{
    /// <summary>Writes one line, its line feed included.</summary>
    /// <returns>Its length in bytes; 0 when <paramref name="destination"/> is too short (nothing of use is in it then).</returns>
    int Write(Span<byte> destination, in FlowChange change);
}
