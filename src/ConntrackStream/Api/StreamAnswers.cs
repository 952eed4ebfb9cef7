using System.Text;
using System.Threading.Channels;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Pipeline.Rates;
using ConntrackStream.Service.Api.Problems;
using ConntrackStream.Service.Api.Streams;
using ConntrackStream.Service.Output;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api;

/// <summary>Answers without an end: what changes, and how much.</summary>
internal sealed class StreamAnswers(ApiBackend backend, ChangeFeed feed, TimeSpan heartbeat, TimeProvider time)
{
    private const string LastEventId = "Last-Event-ID";

    /// <summary>Changes as server-sent events.</summary>
    internal async Task ChangesAsync(HttpContext context)
    {
        if (!FilterQuery.TryParse(context.Request.Query, [], out FlowFilter filter, out QueryFault? fault))
        {
            await fault!.AnswerAsync(context).ConfigureAwait(false);
            return;
        }

        EventPosition? after = null;
        if (context.Request.Headers[LastEventId].FirstOrDefault() is { Length: > 0 } text)
        {
            if (!EventPosition.TryParse(text, out EventPosition last))
            {
                await context.RefuseAsync(
                    ProblemType.BadParameter, $"{LastEventId}: '{text}' is no id of an event of this stream; leave it out to begin now",
                    LastEventId).ConfigureAwait(false);
                return;
            }

            after = last;
        }

        await SendAsync(context, filter, after).ConfigureAwait(false);
    }

    /// <summary>A line of NDJSON each interval.</summary>
    internal Task RatesAsync(HttpContext context)
    {
        if (RatesQuery.Read(context.Request.Query, out TimeSpan interval, out int top) is { } fault)
            return fault.AnswerAsync(context);
        context.Response.ContentType = "application/x-ndjson";
        return RatesAsync(
            () => context.Response.StartAsync(context.RequestAborted),
            interval,
            top,
            async record =>
            {
                if (record is null)
                    return; // a line would be a record
                await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(record + "\n"), context.RequestAborted).ConfigureAwait(false);
                await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
            },
            context.RequestAborted);
    }

    /// <summary>The same as server-sent events.</summary>
    internal Task RateEventsAsync(HttpContext context)
    {
        if (RatesQuery.Read(context.Request.Query, out TimeSpan interval, out int top) is { } fault)
            return fault.AnswerAsync(context);
        EventWriter output = new(context);
        return RatesAsync(
            BeginAsync,
            interval,
            top,
            record =>
            {
                if (record is null)
                    output.AddHeartbeat(id: null);
                else
                    output.Add("sample"u8, id: null, Encoding.UTF8.GetBytes(record));
                return output.FlushAsync();
            },
            context.RequestAborted);

        async Task BeginAsync()
        {
            await output.StartAsync().ConfigureAwait(false);
            await output.FlushAsync().ConfigureAwait(false);
        }
    }

    private async Task SendAsync(HttpContext context, FlowFilter filter, EventPosition? after)
    {
        ChangeRing ring = feed.Enter();
        try
        {
            EventWriter output = new(context);
            await output.StartAsync().ConfigureAwait(false);
            ChangeEvents events = new(
                ring, filter, OutputFormat.ToJson(backend.NetworkNamespace), Environment.MachineName, output, heartbeat, time);
            await events.RunAsync(after, context.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            feed.Leave();
        }
    }

    /// <param name="send">Of a record, or null for a heartbeat.</param>
    private async Task RatesAsync(Func<Task> begin, TimeSpan interval, int top, Func<string?, Task> send, CancellationToken cancellation)
    {
        using SampleQueue samples = new(backend.Changes, interval, top);
        await begin().ConfigureAwait(false);
        while (true)
        {
            Task<bool> next = samples.Reader.WaitToReadAsync(cancellation).AsTask();
            while (!await next.IsDoneWithinAsync(heartbeat, time, cancellation).ConfigureAwait(false))
                await send(null).ConfigureAwait(false);
            if (!await next.ConfigureAwait(false))
                return;
            while (samples.Reader.TryRead(out StreamSample? sample))
                await send(RateRecord.Of(sample, time.GetUtcNow(), backend.Status().View.Flows).ToJson()).ConfigureAwait(false);
        }
    }
}
