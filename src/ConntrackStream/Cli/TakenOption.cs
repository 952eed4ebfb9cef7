namespace ConntrackStream.Service.Cli;

/// <summary>An option that a verb reads itself: the parser of the command line passes it on.</summary>
/// <param name="Names">With their dashes, the long ones first.</param>
/// <param name="ValueName">As the help has it; null for an option without a value.</param>
/// <param name="Words">What the value can be, as far as it is known.</param>
internal sealed record TakenOption(IReadOnlyList<string> Names, string? ValueName, string Description, IReadOnlyList<string> Words);
