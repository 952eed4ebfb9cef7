using System.Globalization;
using CsCheck;

namespace ConntrackStream.Tests;

/// <summary>
/// Randomised tests: CsCheck makes the cases and shrinks one that fails, but draws others in each run. Here the cases are the same until
/// TEST_SEED names another number. A failure names the seed of its smallest case, which CsCheck_Seed runs first.
/// </summary>
internal static class RandomCases
{
    private const int ShrinkingSeconds = 10;

    /// <param name="assert">May be called with further, smaller cases after one has failed.</param>
    internal static void Check<T>(this Gen<T> gen, int cases, Action<T> assert, Func<T, string>? print = null)
    {
        if (Environment.GetEnvironmentVariable("CsCheck_Seed") is { Length: > 0 } found)
            assert(gen.Generate(PCG.Parse(found), null!, out _));
        PCG random = new(uint.Parse(Environment.GetEnvironmentVariable("TEST_SEED") ?? "1", CultureInfo.InvariantCulture), 1);
        for (int i = 0; i < cases; i++)
        {
            ulong state = random.State;
            T value = gen.Generate(random, null!, out _);
            try
            {
                assert(value);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                string seed = random.ToString(state);
                gen.Sample(assert, seed: seed, time: ShrinkingSeconds, threads: 1, print: print);
                throw new InvalidOperationException($"case {i} (CsCheck_Seed={seed}) failed once, and passed when tried again", e);
            }
        }
    }
}
