namespace ConntrackStream.Service.Demo.Race;

/// <summary>What the race is run with: the same for each cleaner.</summary>
/// <param name="Rounds">How often connections are closed and the map is cleaned.</param>
/// <param name="Connections">TCP connections closed in each round; half of their tuples are used again.</param>
/// <param name="Seed">Chooses which, and when where <paramref name="IsNatural"/>.</param>
/// <param name="IsNatural">Tuples are used again at random moments; else right before the cleaner's call that deletes their entry.</param>
internal sealed record RaceOptions(int Rounds = 3, int Connections = 16, int Seed = 1, bool IsNatural = false)
{
    internal const int MaxRounds = 20, MaxConnections = 500;

    /// <summary>Between a cleaner's two looks at the table, and the grace and window of ours; real agents look each 150 s.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>A push arrives in well under a millisecond, and a lost one is sent again after 0.2 and 0.6 s.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
}
