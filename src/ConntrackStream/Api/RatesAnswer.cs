using System.Reactive.Concurrency;
using System.Text;
using System.Threading.Channels;
using ConntrackStream.Pipeline.Rates;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api;

/// <summary>
/// <c>GET /v1/rates?interval=1s&amp;top=5</c>: a line of NDJSON each interval, until the client goes. Changes are counted only meanwhile.
/// </summary>
internal static class RatesAnswer
{
    private const int MostTalkers = 100;

    private const int Waiting = 16; // samples for a client that is slow; the oldest go first, and their times are missing then

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100), Longest = TimeSpan.FromHours(1);

    internal static string AllowedInterval { get; } = "a duration from 100ms to 1h";

    internal static bool TryParseInterval(string text, out TimeSpan interval) =>
        DurationText.TryParse(text, out interval) && interval >= Shortest && interval <= Longest;

    internal static string AllowedTop { get; } = $"a number from 0 to {MostTalkers}";

    internal static ValueOption.TryParse<int> ParseTop { get; } = ValueOption.Number(0, MostTalkers);

    /// <summary>What is wrong with the request; null: nothing.</summary>
    internal static string? Read(IQueryCollection query, out TimeSpan interval, out int top)
    {
        string asked = query["interval"].FirstOrDefault() ?? "1s", count = query["top"].FirstOrDefault() ?? "5";
        top = 0;
        return !TryParseInterval(asked, out interval) ? $"interval: '{asked}' is not {AllowedInterval}"
            : !ParseTop(count, out top) ? $"top: '{count}' is not {AllowedTop}"
            : query.Keys.FirstOrDefault(static key => key is not ("interval" or "top")) is { } unknown ? $"{unknown}: no such parameter"
            : null;
    }

    internal static async Task WriteAsync(HttpContext context, ApiBackend backend, TimeSpan interval, int top, TimeProvider time)
    {
        Channel<StreamSample> samples = Channel.CreateBounded<StreamSample>(
            new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        context.Response.ContentType = "application/x-ndjson";
        await context.Response.StartAsync(context.RequestAborted).ConfigureAwait(false);
        using IDisposable subscription = backend.Changes.Sample(interval, top, TaskPoolScheduler.Default).Subscribe(
            sample => samples.Writer.TryWrite(sample), error => samples.Writer.TryComplete(error), () => samples.Writer.TryComplete());
        await foreach (StreamSample sample in samples.Reader.ReadAllAsync(context.RequestAborted).ConfigureAwait(false))
        {
            string line = RateRecord.Of(sample, time.GetUtcNow(), backend.Status().View.Flows).ToJson();
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), context.RequestAborted).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        }
    }
}
