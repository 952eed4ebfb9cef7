using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api.Streams;

/// <summary>
/// An answer of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Events are gathered until
/// <see cref="FlushAsync"/>, which waits while the client does not read. Not thread-safe.
/// </summary>
internal sealed class EventWriter(HttpContext context)
{
    private const int Enough = 32 * 1024;

    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    internal bool IsEmpty => _buffer.WrittenCount == 0;

    /// <summary>So much is gathered that it should go out.</summary>
    internal bool IsFull => _buffer.WrittenCount >= Enough;

    /// <summary>The answer begins: the client sees at once that it is connected.</summary>
    internal async Task StartAsync()
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // nginx would gather events otherwise
        await context.Response.StartAsync(context.RequestAborted).ConfigureAwait(false);
        Add("retry: 2000\n\n"u8);
    }

    /// <param name="name">Of the event.</param>
    /// <param name="id">null: the client's stays what it is.</param>
    /// <param name="data">Without line feeds.</param>
    internal void Add(ReadOnlySpan<byte> name, string? id, ReadOnlySpan<byte> data)
    {
        Add("event: "u8);
        Add(name);
        AddId(id);
        Add("\ndata: "u8);
        Add(data);
        Add("\n\n"u8);
    }

    /// <summary>No event, but a sign of life; the client's id moves on with what was not for it.</summary>
    internal void AddHeartbeat(string? id)
    {
        Add(": heartbeat"u8);
        AddId(id);
        Add("\n\n"u8);
    }

    /// <summary>Done when the client's socket has it all.</summary>
    internal async Task FlushAsync()
    {
        if (_buffer.WrittenCount == 0)
            return;
        await context.Response.Body.WriteAsync(_buffer.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        _buffer.ResetWrittenCount();
    }

    private void AddId(string? id)
    {
        if (id is null)
            return;
        Add("\nid: "u8);
        Encoding.ASCII.GetBytes(id, _buffer);
    }

    private void Add(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);
}
