using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests;

/// <summary>A tap, its channel, and what came out of it.</summary>
internal sealed class TapHarness : IAsyncDisposable
{
    private readonly CancellationTokenSource _guard =
        CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly Channel<TapMessage> _channel;
    private readonly FlowBatchPool _pool = new();
    private long _token;

    internal TapHarness(TapOptions options, int capacity = 4096, Func<TapSocket>? open = null)
    {
        _guard.CancelAfter(TimeSpan.FromSeconds(60)); // a hang fails the test instead of the run
        _channel = Channel.CreateBounded<TapMessage>(capacity);
        Tap = new ConntrackTap(
            options,
            _channel.Writer,
            _pool,
            TimeProvider.System,
            NullLogger<ConntrackTap>.Instance,
            open ?? (() => TapSocket.Open(options, TimeProvider.System, NullLogger.Instance)),
            new Random(1));
    }

    internal ConntrackTap Tap { get; }

    internal CancellationToken Guard => _guard.Token;

    /// <summary>Copies of all events read so far.</summary>
    internal List<FlowEvent> Events { get; } = [];

    /// <summary>All other messages read so far.</summary>
    internal List<TapMessage> Messages { get; } = [];

    internal IEnumerable<TapMessage> Of(TapMessageKind kind) => Messages.Where(m => m.Kind == kind);

    internal IEnumerable<FlowEvent> Of(FlowEventType type) => Events.Where(e => e.Type == type);

    internal async Task StartAsync()
    {
        await Tap.StartAsync(Guard);
        await ReadUntilAsync(m => m.Kind == TapMessageKind.Connected);
    }

    /// <summary>Reads until every event the kernel has queued by now is here.</summary>
    internal Task DrainAsync()
    {
        long token = ++_token;
        Assert.True(Tap.RequestBarrier(token), "the tap is connected");
        return ReadUntilAsync(m => m.Kind == TapMessageKind.Barrier && m.Token == token);
    }

    internal async Task<TapMessage> ReadUntilAsync(Predicate<TapMessage> isLast)
    {
        while (true)
        {
            TapMessage message = await _channel.Reader.ReadAsync(Guard);
            if (message.Batch is { } batch)
            {
                Events.AddRange(batch.Span);
                batch.Release();
            }
            else
            {
                Messages.Add(message);
            }

            if (isLast(message))
                return message;
        }
    }

    /// <summary>The channel is full, so the reader is held up.</summary>
    internal async Task WhenFullAsync()
    {
        while (_channel.Reader.Count < 1)
        {
            Guard.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Tap.DisposeAsync();
        _guard.Dispose();
    }
}
