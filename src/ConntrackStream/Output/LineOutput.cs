using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Output;

/// <summary>
/// Events and rows as lines, gathered in one buffer that is reused: a table of any size streams through it. Not thread-safe.
/// </summary>
internal sealed class LineOutput
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly Stream _output;
    private readonly ConntrackTextOptions? _text;
    private readonly IRecordWriter? _json;
    private readonly bool _isXml, _isSave, _savesDeletions;
    private int _used;
    private bool _isFramed;

    internal LineOutput(Stream output, OutputFormat format, string? networkNamespace, Func<uint, string?>? programName = null)
    {
        _output = output;
        if (format.Json)
            _json = OutputFormat.ToJson(networkNamespace);
        else
            _text = format.ToText(programName);
        (_isXml, _isSave, _savesDeletions) = (format.Xml, format.Save, format.SavesDeletions);
    }

    /// <summary>Lines written so far.</summary>
    internal long Lines { get; private set; }

    /// <summary>The next line may not fit: writing it flushes synchronously, unless <see cref="FlushAsync"/> comes first.</summary>
    internal bool IsFull => _buffer.Length - _used < ConntrackText.MaxLineBytes;

    internal void Write(in FlowEvent e)
    {
        if (IsFull)
            Flush();
        Span<byte> free = _buffer.AsSpan(_used);
        int length = _text is not null ? WriteText(free, e) : WriteJson(free, ToChange(e));
        _used += length;
        Lines++;
    }

    /// <summary>A change of the live view: as NDJSON with its id, or as a row of text.</summary>
    internal void Write(in FlowChange change)
    {
        if (_text is not null)
        {
            Write(new FlowEvent { Flow = change.Flow, Time = change.Time, Type = FlowEventType.Row });
            return;
        }

        if (IsFull)
            Flush();
        _used += WriteJson(_buffer.AsSpan(_used), change);
        Lines++;
    }

    /// <summary>Writes what stands behind the last entry, if there was one, and all that is gathered.</summary>
    internal void Finish()
    {
        if (IsFull)
            Flush();
        if (_isFramed)
            Append(ConntrackXml.Foot);
        Flush();
    }

    internal void Flush()
    {
        _output.Write(_buffer.AsSpan(0, _used));
        _used = 0;
    }

    internal async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await _output.WriteAsync(_buffer.AsMemory(0, _used), cancellationToken).ConfigureAwait(false);
        _used = 0;
    }

    private int WriteText(Span<byte> to, in FlowEvent e)
    {
        if (_isXml && !_isFramed)
        {
            _isFramed = true;
            Append(ConntrackXml.Head);
            to = to[ConntrackXml.Head.Length..];
        }

        int length = _isXml ? ConntrackXml.Write(to[..^1], e, _text!)
            : _isSave ? ConntrackSave.Write(to[..^1], e, SaveCommand(e.Type), _text!)
            : ConntrackText.Write(to[..^1], e, _text!);
        to[length] = (byte)'\n';
        return length + 1;
    }

    private ReadOnlySpan<byte> SaveCommand(FlowEventType type) => type switch
    {
        FlowEventType.Update => "-U"u8,
        FlowEventType.Destroy => "-D"u8,
        _ => _savesDeletions ? "-D"u8 : "-A"u8,
    };

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(_used));
        _used += bytes.Length;
    }

    private int WriteJson(Span<byte> to, in FlowChange change) => _json!.Write(to, change);

    private static FlowChange ToChange(in FlowEvent e) => new()
    {
        Flow = e.Flow,
        Time = e.Time,
        Kind = e.Type switch
        {
            FlowEventType.Destroy => FlowChangeKind.Ended,
            FlowEventType.Update => FlowChangeKind.Updated,
            _ => FlowChangeKind.Started,
        },
        Origin = e.Type == FlowEventType.Row ? FlowOrigin.Dump : FlowOrigin.Event,
    };
}
