//! Conditions and what it means for one to hold. Parsing and type checking are comeback-policy's:
//! here every comparison fits its field.

use serde::{Deserialize, Serialize};

use super::{Facts, Field, Policy, Value};

/// A condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// All of them.
    And(Vec<Expr>),
    /// Any of them.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A named segment.
    Segment(String),
    /// A number or flag against a number; a flag is 1 or 0.
    Compare {
        /// Which field.
        field: Field,
        /// How.
        op: Op,
        /// Against what.
        value: f64,
    },
    /// A word that is one of these.
    Is {
        /// Which field.
        field: Field,
        /// Any of these.
        words: Vec<String>,
    },
    /// A set that has this.
    Has {
        /// Which field.
        field: Field,
        /// The member.
        word: String,
    },
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

impl Op {
    /// Whether it holds between two numbers.
    #[must_use]
    pub fn holds(self, a: f64, b: f64) -> bool {
        #[expect(clippy::float_cmp, reason = "the policy's author wrote ==")]
        match self {
            Self::Lt => a < b,
            Self::Le => a <= b,
            Self::Gt => a > b,
            Self::Ge => a >= b,
            Self::Eq => a == b,
            Self::Ne => a != b,
        }
    }
}

pub(super) fn eval(policy: &Policy, expr: &Expr, facts: &Facts, depth: u8) -> bool {
    // The parser refuses deep nesting and segment cycles; a bound here keeps a policy that was
    // stored by another version from overflowing the stack.
    if depth > 64 {
        return false;
    }
    match expr {
        Expr::And(all) => all.iter().all(|e| eval(policy, e, facts, depth + 1)),
        Expr::Or(any) => any.iter().any(|e| eval(policy, e, facts, depth + 1)),
        Expr::Not(inner) => !eval(policy, inner, facts, depth + 1),
        Expr::Segment(name) => policy
            .segments
            .iter()
            .find(|s| s.name == *name)
            .is_some_and(|s| eval(policy, &s.when, facts, depth + 1)),
        Expr::Compare { field, op, value } => facts.number(*field).is_some_and(|held| op.holds(held, *value)),
        Expr::Is { field, words } => {
            matches!(facts.get(*field), Some(Value::Word(held)) if words.iter().any(|word| word == held))
        }
        Expr::Has { field, word } => {
            matches!(facts.get(*field), Some(Value::Words(held)) if held.contains(word))
        }
    }
}
