using System.Runtime.Versioning;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: SupportedOSPlatform("linux")] // as the library: without it CA1416 warns of each use

Channel<TapMessage> messages = Channel.CreateBounded<TapMessage>(64);
await using ConntrackTap tap = new(
    new TapOptions(), messages.Writer, new FlowBatchPool(), TimeProvider.System, NullLogger<ConntrackTap>.Instance);
await tap.StartAsync(CancellationToken.None);
await foreach (TapMessage message in messages.Reader.ReadAllAsync())
{
    if (message.Kind is TapMessageKind.Overrun)
        Console.WriteLine($"LOST {message.Lost} events");
    foreach (ref readonly FlowEvent e in message.Batch is null ? [] : message.Batch.Span)
        Console.WriteLine($"{e.Type.ToString().ToUpperInvariant()} {TupleText.Describe(e.Flow.Original)}");
    message.Batch?.Release();
}
