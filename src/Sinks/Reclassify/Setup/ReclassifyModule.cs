using System.Globalization;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Figures;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.Setup;

/// <summary><c>Reclassify</c>: flows that were decided too late move to their right uplink, as a sink of the service.</summary>
public sealed class ReclassifyModule : StreamModule<ReclassifyOptions>
{
    private ReplaceableSink<ReclassifySink>? _sink;
    private StaticRules? _rules;

    /// <inheritdoc/>
    public override string Section => "Reclassify";

    /// <summary>Null when flows are not reclassified, and while no network namespace is followed.</summary>
    private ReclassifySink? Current => _sink?.Current;

    /// <inheritdoc/>
    protected override void Attach(ReclassifyOptions options, ModuleBuilder builder)
    {
        builder.AddCheck((context, cancellation) => ReclassifyChecks.RunAsync(options, builder.Host, context, cancellation));
        builder.AddStatus(
            "reclassify",
            ReclassifyFiguresJson.Default.ReclassifyFigures,
            () => Current is { } sink ? ReclassifyFigures.Of(sink.Status) : null);
        ReclassifyInstruments.Add(builder.Instruments, () => Current?.Status);
        if (!options.Enabled)
            return;
        builder.AddSink(() => _sink = new ReplaceableSink<ReclassifySink>(Create(options, builder)));
        builder.OnReload("the static rules", () => _rules?.Reload());
        builder.OnStopping(() => Current?.HaltAsync() ?? Task.CompletedTask); // the last events are still to be written, not to be acted on
        builder.OnNamespaceReplaced(
            cancellation => _sink!.ReplaceAsync(null, cancellation),
            cancellation => _sink!.ReplaceAsync(Create(options, builder), cancellation));
        builder.AddSummary(_ => Current is { } sink ? Summary(sink.Status) : null);
    }

    /// <summary>For the network namespace that the name leads to now.</summary>
    private ReclassifySink Create(ReclassifyOptions options, ModuleBuilder builder)
    {
        IModuleHost host = builder.Host;
        ReclassifyParts parts = ReclassifySetup.Create(options, host.Network, host.Time, host.Loggers, host.Plugins);
        _rules = parts.Rules;
        return new ReclassifySink(
            options,
            parts,
            (isWanted, onRows, token) => host.Pipeline.QueryAsync(isWanted, onRows, token),
            CausedEnds.Of(builder),
            host.Time,
            host.Loggers.CreateLogger<ReclassifySink>());
    }

    private static string Summary(ReclassifyStatus status)
    {
        ReclassifyCounters now = status.Counters;
        return status.Mode == ReclassifyMode.DryRun
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"reclassification: nothing was changed (dry run), {now.Resets} times a client would have been reset, "
                + $"{now.Deleted} times an entry deleted, {now.Remarked} times re-marked")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"reclassification: {now.Resets} clients reset, {now.Deleted} entries deleted, {now.Remarked} re-marked, "
                + $"{now.Of(ActionOutcome.Moved)} moved, {now.Of(ActionOutcome.Looped)} looped, {now.Of(ActionOutcome.Hung)} hung");
    }
}
