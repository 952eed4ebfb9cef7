using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ConntrackStream.Tests;

/// <summary>Waits on what can be observed, up to a deadline, never for a time.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);

    /// <summary>Returns as soon as <paramref name="condition"/> holds.</summary>
    /// <param name="condition">Asked again and again, on the calling thread.</param>
    /// <param name="timeout">When to give up; by default 30 s.</param>
    /// <param name="state">What was observed instead, for the message of a failure.</param>
    /// <param name="waitedFor">The condition's own text.</param>
    public static void True(
        Func<bool> condition,
        TimeSpan? timeout = null,
        Func<string>? state = null,
        [CallerArgumentExpression(nameof(condition))] string waitedFor = "")
    {
        TimeSpan limit = timeout ?? TimeSpan.FromSeconds(30);
        CancellationToken cancelled = TestContext.Current.CancellationToken;
        long began = Stopwatch.GetTimestamp();
        while (!condition())
        {
            cancelled.ThrowIfCancellationRequested();
            if (Stopwatch.GetElapsedTime(began) > limit)
                Assert.Fail($"not so within {limit.TotalSeconds} s: {waitedFor}{(state is null ? "" : $"\nbut: {state()}")}");
            cancelled.WaitHandle.WaitOne(Interval);
        }
    }

    /// <inheritdoc cref="True"/>
    public static Task TrueAsync(
        Func<bool> condition, TimeSpan? timeout = null, Func<string>? state = null,
        [CallerArgumentExpression(nameof(condition))] string waitedFor = "") =>
        TrueAsync(() => Task.FromResult(condition()), timeout, state, waitedFor);

    /// <inheritdoc cref="True"/>
    public static async Task TrueAsync(
        Func<Task<bool>> condition, TimeSpan? timeout = null, Func<string>? state = null,
        [CallerArgumentExpression(nameof(condition))] string waitedFor = "")
    {
        TimeSpan limit = timeout ?? TimeSpan.FromSeconds(30);
        long began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(began) > limit)
                Assert.Fail($"not so within {limit.TotalSeconds} s: {waitedFor}{(state is null ? "" : $"\nbut: {state()}")}");
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }
}
