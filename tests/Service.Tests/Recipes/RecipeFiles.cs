namespace ConntrackStream.Service.Tests.Recipes;

/// <summary>The files under docs/recipes.</summary>
internal static class RecipeFiles
{
    internal static string Read(string name) => File.ReadAllText(PathOf(name));

    internal static string PathOf(string name) => Path.Combine(Repository.PathOf("docs", "recipes"), name);
}
