using ConntrackStream.Service.Metrics;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Judges samples of the kernel's table: how full it is, and which losses grew. Each kind of warning is repeated at most once in
/// <see cref="TableHealthSettings.RepeatAfter"/>, with what came together in between.
/// </summary>
internal sealed class TableHealth(TableHealthSettings settings, TimeProvider time, ILogger logger)
{
    private const int Hysteresis = 5; // percent below the limit before "back to normal" is said, so that it does not flap

    private readonly RepeatLimit _fill = new(settings.RepeatAfter, time);
    private readonly LossWatch _drop = new(settings.RepeatAfter, time);
    private readonly LossWatch _insertFailed = new(settings.RepeatAfter, time);
    private readonly LossWatch _earlyDrop = new(settings.RepeatAfter, time);
    private readonly LossWatch _chainTooLong = new(settings.RepeatAfter, time);
    private int? _namespace;

    /// <summary>How serious the fill is now.</summary>
    internal TableFill Fill { get; private set; }

    internal void Observe(TableSample sample)
    {
        int percent = sample.Max > 0 ? (int)(sample.Count * 100 / sample.Max) : 0;
        if (sample.Namespace != _namespace)
            BeginAgain(sample);
        ObserveFill(sample, percent);
        if (_drop.Grown(sample.Drop) is long dropped)
        {
            if (percent >= settings.CriticalPercent)
                ServiceLog.TableFull(logger, dropped, sample.Count, sample.Max);
            else
                ServiceLog.PacketsDropped(logger, dropped, percent);
        }

        if (_earlyDrop.Grown(sample.EarlyDrop) is long evicted)
            ServiceLog.EarlyDrops(logger, evicted);
        if (_chainTooLong.Grown(sample.ChainTooLong) is long refused)
            ServiceLog.ChainsTooLong(logger, refused);
        if (_insertFailed.Grown(sample.InsertFailed - sample.ChainTooLong) is long failed) // the kernel counts a long chain as both
            ServiceLog.InsertsFailed(logger, failed);
    }

    /// <summary>What another network namespace has lost so far is no loss since the last look.</summary>
    private void BeginAgain(TableSample sample)
    {
        _namespace = sample.Namespace;
        _drop.Forget();
        _insertFailed.Forget();
        _earlyDrop.Forget();
        _chainTooLong.Forget();
    }

    private void ObserveFill(TableSample sample, int percent)
    {
        TableFill fill = Judge(percent);
        bool isWorse = fill > Fill;
        if (fill == TableFill.Normal && Fill != TableFill.Normal)
            ServiceLog.TableFillNormal(logger, percent, sample.Count, sample.Max);
        Fill = fill;
        if (fill == TableFill.Normal)
            _fill.Reset();
        else if (_fill.IsDue(force: isWorse))
            Warn(fill, percent, sample);
    }

    private TableFill Judge(int percent)
    {
        if (percent >= settings.CriticalPercent || (Fill == TableFill.Critical && percent > settings.CriticalPercent - Hysteresis))
            return TableFill.Critical;
        return percent >= settings.WarningPercent || (Fill != TableFill.Normal && percent > settings.WarningPercent - Hysteresis)
            ? TableFill.Warning
            : TableFill.Normal;
    }

    private void Warn(TableFill fill, int percent, TableSample sample)
    {
        if (fill == TableFill.Critical)
            ServiceLog.TableNearlyFull(logger, percent, sample.Count, sample.Max);
        else
            ServiceLog.TableFilling(logger, percent, sample.Count, sample.Max);
    }
}

/// <summary>How serious the table's fill is.</summary>
internal enum TableFill
{
    Normal,
    Warning,
    Critical,
}
