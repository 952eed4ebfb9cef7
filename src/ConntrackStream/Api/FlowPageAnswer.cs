using System.Buffers;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Api;

/// <summary>Flows as one JSON object, written as they come: <c>{"flows":[…],"next_cursor":…}</c>.</summary>
internal sealed class FlowPageAnswer(Stream output, string? networkNamespace)
{
    private const int Enough = 48 * 1024;

    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private readonly IRecordWriter _records = OutputFormat.ToJson(networkNamespace);

    internal int Count { get; private set; }

    internal bool IsFull => _buffer.WrittenCount >= Enough;

    internal void Add(in FlowChange flow)
    {
        _buffer.Write(Count++ == 0 ? "{\"flows\":[\n"u8 : ",\n"u8);
        int length = _records.Write(_buffer.GetSpan(ConntrackText.MaxLineBytes), flow);
        _buffer.Advance(length - 1); // without its line feed
    }

    internal void End(PageCursor? next)
    {
        _buffer.Write(Count == 0 ? "{\"flows\":["u8 : "\n"u8);
        _buffer.Write("],\"next_cursor\":"u8);
        _buffer.Write(next is { } cursor ? System.Text.Encoding.ASCII.GetBytes($"\"{cursor}\"") : "null"u8);
        _buffer.Write("}\n"u8);
    }

    internal async Task FlushAsync(CancellationToken cancellation)
    {
        await output.WriteAsync(_buffer.WrittenMemory, cancellation).ConfigureAwait(false);
        _buffer.ResetWrittenCount();
    }
}
