using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Conntrack.Syntax;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary>Entries and events in the form that <c>-o</c> asks for, gathered in one buffer. Not thread-safe.</summary>
internal sealed class EntryLines(Stream output, OutputTypes types, ConntrackTextOptions options, bool hasXmlFrame)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _used;
    private bool _isFramed;

    /// <summary>Written so far.</summary>
    internal long Count { get; private set; }

    /// <summary>What the columns of conntrack's output types are.</summary>
    internal static ConntrackTextOptions Options(
        OutputTypes types, ConntrackLabels? labels, Func<uint, string?>? programName = null) => new()
        {
            Extended = types.HasFlag(OutputTypes.Extended),
            Id = types.HasFlag(OutputTypes.Id),
            Timestamp = types.HasFlag(OutputTypes.Timestamp),
            KernelTimestamps = types.HasFlag(OutputTypes.KernelTimestamp),
            Labels = labels, // shown wherever a label was named, too
            ProgramName = programName,
        };

    internal void Write(in FlowEvent entry, CommandKind command)
    {
        if (_buffer.Length - _used < ConntrackText.MaxLineBytes)
            Flush();
        bool isXml = types.HasFlag(OutputTypes.Xml);
        if (isXml && hasXmlFrame && !_isFramed)
        {
            Append(ConntrackXml.Head);
            _isFramed = true;
        }

        Span<byte> free = _buffer.AsSpan(_used, _buffer.Length - _used - 1);
        _used += types.HasFlag(OutputTypes.Save) ? ConntrackSave.Write(free, entry, SaveCommand(entry.Type, command), options)
            : isXml ? ConntrackXml.Write(free, entry, options)
            : ConntrackText.Write(free, entry, options);
        _buffer[_used++] = (byte)'\n';
        Count++;
    }

    /// <summary>What stands behind the last entry, if there was one.</summary>
    internal void EndFrame()
    {
        if (_isFramed)
            Append(ConntrackXml.Foot);
    }

    internal void Flush()
    {
        output.Write(_buffer.AsSpan(0, _used));
        _used = 0;
    }

    private static ReadOnlySpan<byte> SaveCommand(FlowEventType type, CommandKind command) => type switch
    {
        FlowEventType.Update => "-U"u8,
        FlowEventType.Destroy => "-D"u8,
        _ => command == CommandKind.Delete ? "-D"u8 : "-A"u8,
    };

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(_used));
        _used += bytes.Length;
    }
}
