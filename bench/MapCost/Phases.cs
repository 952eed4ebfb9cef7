using System.Diagnostics;
using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.MapCost;

/// <summary>
/// When deletions began and ended, by the stage's own steps: the grace before and the window between are waiting, not work.
/// </summary>
internal sealed class Phases
{
    private long _firstTake, _lastTake, _firstDisarm, _lastDisarm;

    public double WallMs =>
        (Stopwatch.GetElapsedTime(_firstTake, _lastTake) + Stopwatch.GetElapsedTime(_firstDisarm, _lastDisarm)).TotalMilliseconds;

    public void On(DeleteStep step)
    {
        long now = Stopwatch.GetTimestamp();
        if (step == DeleteStep.Disarm)
            (_firstDisarm, _lastDisarm) = (_firstDisarm == 0 ? now : _firstDisarm, now);
        else
            (_firstTake, _lastTake) = (_firstTake == 0 ? now : _firstTake, now);
    }

    public void Clear() => _firstTake = _lastTake = _firstDisarm = _lastDisarm = 0;
}
