namespace ConntrackStream.EventTap.Tests;

internal sealed class FixedRandom(double value) : Random
{
    public override double NextDouble() => value;
}
