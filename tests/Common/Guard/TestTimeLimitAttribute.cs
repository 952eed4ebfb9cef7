namespace ConntrackStream.Tests;

/// <summary>
/// How long a test, or each test of a class, may take, its constructor and its Dispose included; <see cref="TestWatch.DefaultLimit"/>
/// without. A test that takes longer is stuck: the run ends there. It is no measure of speed, and longer than any wait within the test,
/// whose failure says more.
/// </summary>
/// <param name="seconds">The limit.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class TestTimeLimitAttribute(double seconds) : Attribute
{
    internal TimeSpan Limit { get; } = TimeSpan.FromSeconds(seconds);
}
