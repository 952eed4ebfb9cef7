using System.Globalization;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Ipfix.Transport;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary><c>Ipfix</c>: each collector is a sink of the service, with a queue and a thread of its own.</summary>
public sealed class IpfixModule : StreamModule<IpfixOptions>
{
    /// <inheritdoc/>
    public override string Section => "Ipfix";

    /// <inheritdoc/>
    protected override void Attach(IpfixOptions options, ModuleBuilder builder)
    {
        CollectorSink[] sinks = []; // replaced, as other threads read it
        foreach (CollectorAddress address in options.Addresses())
        {
            CollectorSink? sink = null;
            builder.AddSink(() =>
            {
                sink = new CollectorSink(address, options, builder.Host.Time, builder.Logger, builder.Host.State);
                sinks = [.. sinks, sink];
                return sink;
            });
            builder.AddCheck((_, cancellationToken) => CollectorCheck.RunAsync(address, options, builder.Host.Time, cancellationToken));
            builder.AddSummary(status => sink is null ? null : Summary(sink, status), CollectorSink.NameOf(address));
        }

        IpfixStatus? Status() => sinks.Length == 0 ? null : new IpfixStatus([.. sinks.Select(static sink => sink.Status)]);
        builder.AddStatus("ipfix", IpfixStatusJson.Default.IpfixStatus, Status);
        IpfixInstruments.Add(builder.Instruments, Status);
    }

    private static string Summary(CollectorSink sink, PipelineStatus status)
    {
        long droppedBefore = status.Sinks.Where(one => one.Name == sink.Name).Sum(static one => one.Dropped);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{sink.Counters.Records} IPFIX records sent to {sink.Status.Collector}, {sink.Counters.Dropped + droppedBefore} dropped");
    }
}
