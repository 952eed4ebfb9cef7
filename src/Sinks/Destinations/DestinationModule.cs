using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Sinks.Destinations;

/// <summary><c>Destinations</c>: counts of flows by destination, as a sink of the service.</summary>
public sealed class DestinationModule : StreamModule<DestinationOptions>
{
    /// <inheritdoc/>
    public override string Section => "Destinations";

    /// <inheritdoc/>
    protected override void Attach(DestinationOptions options, ModuleBuilder builder)
    {
        DestinationSink? sink = null;
        builder.Instruments.Counter(
            "destinations_uncounted_total",
            "New flows that were not counted by destination, since there were too many destinations.",
            () => sink is null ? [] : [new(sink.Uncounted)]);
        if (options.Interval > TimeSpan.Zero)
            builder.AddSink(() => sink = new DestinationSink(options.Interval, builder.Host.State, builder.Host.Time, builder.Logger));
    }
}
