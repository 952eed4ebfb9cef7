using System.Threading.Channels;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Rates;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>
/// What the screen shows: the kernel's table, read again each interval, and how many flows begin and end, from the running service or,
/// where there is none in this namespace, from an event socket and a live view of its own. Figures go to a channel; nothing here draws.
/// </summary>
internal sealed class TopFeed(NetworkNamespace networkNamespace, ChannelWriter<TopMessage> messages, TimeProvider time)
{
    private const int MostRows = 1000;
    private const int Share = 4; // reading a large table takes at most a fourth of the time

    private static readonly TimeSpan RateInterval = TimeSpan.FromSeconds(1), Retry = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _wake = new(0);

    /// <summary>What is wanted of the next look. Set by the screen's loop.</summary>
    internal volatile TopWish Wish = new(FlowFilter.All, TopSort.Rate, TimeSpan.FromSeconds(2), IsPaused: false);

    /// <summary>Looks at the table at once.</summary>
    internal void Look() => _wake.Release();

    /// <summary>Reads the table until cancelled. Runs on a thread of its own: a dump blocks.</summary>
    /// <exception cref="NetlinkException">It cannot be read.</exception>
    internal async Task ReadTablesAsync(CancellationToken cancellation)
    {
        FlowBatchPool pool = new();
        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        FlowMeter? meter = null;
        FlowFilter? filter = null;
        while (true)
        {
            TopWish wish = Wish;
            long begun = time.GetTimestamp();
            if (!wish.IsPaused)
            {
                if (!ReferenceEquals(filter, wish.Filter) || meter is null)
                    (meter, filter) = (new FlowMeter(wish.Filter, MostRows), wish.Filter);
                meter.Begin(time.UnixNanoseconds(), wish.Sort);
                FlowMeter reading = meter;
                client.Dump(
                    wish.Filter.Family,
                    pool,
                    batch =>
                    {
                        reading.Add(batch);
                        batch.Release();
                    },
                    cancellation);
                await messages.WriteAsync(
                    new TableRead(meter.End(), client.Count(), client.Max(), RefusalCounts.Of(client.Stats())), cancellation)
                    .ConfigureAwait(false);
            }

            TimeSpan busy = time.GetElapsedTime(begun) * Share;
            TimeSpan rest = (busy > wish.Interval ? busy : wish.Interval) - time.GetElapsedTime(begun);
            await WaitAsync(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Counts flows until cancelled.</summary>
    /// <param name="socket">Of the running service; null: it is not asked.</param>
    internal async Task ReadRatesAsync(string? socket, CancellationToken cancellation)
    {
        while (true)
        {
            string failure;
            try
            {
                if (socket is not null && await IsHereAsync(socket, cancellation).ConfigureAwait(false))
                    await OfServiceAsync(socket, cancellation).ConfigureAwait(false);
                else
                    await OfKernelAsync(cancellation).ConfigureAwait(false);
                failure = "the stream has ended";
            }
            catch (Exception e) when (e is IOException or NetlinkException or UnauthorizedAccessException or HttpRequestException)
            {
                failure = e.Message;
            }

            await messages.WriteAsync(new RatesLost(failure), cancellation).ConfigureAwait(false);
            await Task.Delay(Retry, time, cancellation).ConfigureAwait(false);
        }
    }

    // A service that follows another namespace counts other flows.
    private async Task<bool> IsHereAsync(string socket, CancellationToken cancellation)
    {
        ServiceStatus? status = await ApiClient.TryStatusAsync(socket, cancellation).ConfigureAwait(false);
        string? here = networkNamespace.IsCurrent ? null : networkNamespace.Name;
        return status is not null && status.NetworkNamespace == here;
    }

    private async Task OfServiceAsync(string socket, CancellationToken cancellation)
    {
        await foreach (string line in ApiClient.RatesAsync(socket, RateInterval, top: 0, cancellation).ConfigureAwait(false))
            await messages.WriteAsync(new RatesRead(RateRecord.Parse(line)), cancellation).ConfigureAwait(false);
    }

    private async Task OfKernelAsync(CancellationToken cancellation)
    {
        BriefStream stream = new(networkNamespace, [], new PipelineOptions(), time);
        await using (stream.ConfigureAwait(false))
        {
            await stream.StartAsync(cancellation).ConfigureAwait(false);
            using SampleQueue samples = new(stream.Pipeline.Changes, RateInterval, top: 0);
            await foreach (StreamSample sample in samples.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                PipelineStatus status = stream.Pipeline.Status;
                RateRecord rates = RateRecord.Of(sample, time.GetUtcNow(), status.FlowsIPv4 + status.FlowsIPv6);
                await messages.WriteAsync(new RatesRead(rates), cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task WaitAsync(TimeSpan rest, CancellationToken cancellation)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny(_wake.WaitAsync(ended.Token), Task.Delay(rest, time, ended.Token)).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false); // the wait that goes on would take the next wake-up
        cancellation.ThrowIfCancellationRequested();
    }
}

/// <summary>What the next look at the table is to be.</summary>
internal sealed record TopWish(FlowFilter Filter, TopSort Sort, TimeSpan Interval, bool IsPaused);
